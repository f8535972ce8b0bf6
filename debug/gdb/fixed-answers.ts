/**
 * Queries that always have the same answer (GDB manual, appendix E.4 "General Query Packets";
 * lldb's own are in its document "LLDB gdb-remote extensions").
 */
import { ADDRESS_BITS } from '../../emulator/pointer-auth.js';
import { MAX_POINTS } from './breakpoints.js';
import { toHex } from './hex.js';
import { MAX_PACKET } from './packet.js';

/** The answer to `qSupported`. */
export const SUPPORTED = [
  `PacketSize=${MAX_PACKET.toString(16)}`,
  'QStartNoAckMode+',
  'qXfer:features:read+',
  'ReverseStep+',
  'ReverseContinue+',
  'vContSupported+',
  'swbreak+',
  'hwbreak+',
].join(';');

const ANSWERS = new Map<string, string>([
  ['qC', 'QC1'],
  ['qfThreadInfo', 'm1'],
  ['qsThreadInfo', 'l'],
  ['qThreadExtraInfo', toHex(Buffer.from('the scenario'))],
  // The target outlives the client: gdb detaches when it quits.
  ['qAttached', '1'],
  ['qSymbol', 'OK'],
  // lldb strips the bits above the address from return addresses by itself.
  [
    'qHostInfo',
    `endian:little;ptrsize:8;watchpoint_exceptions_received:before;addressing_bits:${ADDRESS_BITS};`,
  ],
  // Without this, lldb does not step over the access that a watchpoint stopped before.
  ['qWatchpointSupportInfo', `num:${MAX_POINTS};`],
]);

/** The answer to the query of this name, or undefined when it is not fixed. */
export function fixedAnswer(name: string): string | undefined {
  return ANSWERS.get(name);
}
