/** `--kernel FILE`, wherever it is taken: the file may have to be decompressed first. */
import { constants } from 'node:os';
import { resolve } from 'node:path';
import { UsageError } from './usage-error.js';

/**
 * Where the kernel can be read; a decompressed copy is removed when the program ends.
 * @returns undefined when no kernel is named, or the option is misused, which its own check reports
 * @throws UsageError
 */
export async function plainKernel(
  option: string | readonly string[] | undefined,
): Promise<string | undefined> {
  if (typeof option !== 'string' || option === '') return undefined;
  const { plainFile } = await import('../kernel-model/vmlinux/compressed-file.js');
  const made = await plainFile(option, resolve(option), removeAtEnd);
  if (!made.ok) throw new UsageError(made.error);
  return made.value;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** However the program ends; a signal that somebody else listens to ends it by way of them. */
function removeAtEnd(remove: () => void): void {
  process.once('exit', remove);
  for (const name of SIGNALS) {
    process.on(name, () => {
      if (process.listenerCount(name) === 1) process.exit(128 + constants.signals[name]);
    });
  }
}
