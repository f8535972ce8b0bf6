/** `--kernel FILE`, wherever it is taken: the file may have to be decompressed first. */
import { resolve } from 'node:path';
import { plainFile } from '../sweep/kernel-file.js';
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
  const made = await plainFile(option, resolve(option));
  if (!made.ok) throw new UsageError(made.error);
  process.once('exit', () => {
    made.value.remove();
  });
  return made.value.path;
}
