/** The options of `debug --gdb`, checked. */
import { type Endpoint, parseEndpoint } from '../debug/gdb/endpoint.js';
import { once, type OptionText } from './option-values.js';
import { UsageError } from './usage-error.js';

/** What yargs makes of the command line. */
export interface GdbArguments {
  readonly gdb?: OptionText;
  readonly gdbAllowRemote?: boolean | undefined;
}

/** Where to listen; undefined when no server is wanted. @throws UsageError */
export function gdbEndpoint({ gdb, gdbAllowRemote }: GdbArguments): Endpoint | undefined {
  const text = once('gdb', gdb);
  if (text === undefined) {
    if (gdbAllowRemote === true) throw new UsageError('--gdb-allow-remote needs --gdb');
    return undefined;
  }
  const endpoint = parseEndpoint(text);
  if (endpoint === undefined) {
    throw new UsageError(`--gdb '${text}' is not [HOST:]PORT with a port of 0 to 65535`);
  }
  return endpoint;
}
