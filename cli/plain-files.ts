/** Decompresses the files that a command names, so that they can be read. */
import { constants } from 'node:os';
import { prepareDebugSections } from '../elf/debug-compression.js';
import { makePlainCopy } from '../elf/plain-copy.js';
import { complain } from './output.js';
import { UsageError } from './usage-error.js';

/**
 * Makes compressed files readable by their own names until the program ends.
 * @param files values of options; anything but a single name is left to the option's own check
 * @throws UsageError
 */
export async function decompressFiles(
  ...files: readonly (string | readonly string[] | undefined)[]
): Promise<void> {
  for (const file of files) {
    if (typeof file !== 'string' || file === '') continue;
    const made = await makePlainCopy(file, {
      scratch: removeAtEnd,
      progress: notice(`decompressing ${file}`, complain),
    });
    if (!made.ok) throw new UsageError(made.error);
  }
}

/** The same for a kernel, whose debugging information is wanted as well. @throws UsageError */
export async function prepareKernel(file: string | readonly string[] | undefined): Promise<void> {
  await decompressFiles(file);
  if (typeof file === 'string' && file !== '') await prepareDebugSections(file);
}

/** Milliseconds before a user wants to know what is going on, and the first interval. */
const PATIENCE = 2000;

/**
 * Reports work that takes long: after two seconds, and then at intervals that double, so that a log
 * stays short.
 * @param now milliseconds on some clock
 */
export function notice(
  what: string,
  say: (line: string) => void,
  now: () => number = () => performance.now(),
): (bytes: number) => void {
  const start = now();
  let next = PATIENCE;
  return (bytes) => {
    const elapsed = now() - start;
    if (elapsed < next) return;
    while (next <= elapsed) next *= 2;
    say(`${what}: ${Math.round(bytes / 2 ** 20)} MiB so far`);
  };
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const removals: (() => void)[] = [];

/**
 * Removes copies however the program ends. If others listen to a signal too, ending is left to
 * them.
 */
function removeAtEnd(remove: () => void): void {
  removals.push(remove);
  if (removals.length > 1) return;
  process.once('exit', () => {
    for (const one of removals) one();
  });
  for (const name of SIGNALS) {
    process.on(name, () => {
      if (process.listenerCount(name) === 1) process.exit(128 + constants.signals[name]);
    });
  }
}
