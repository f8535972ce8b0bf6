/**
 * Knows where the decompressed copies of files are, in this process and in the workers that it
 * forks. A copy is made once, and whoever opens the file by its own name reads the copy.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/**
 * Environment variable that workers inherit: a JSON object from the absolute path of each file to
 * that of its copy.
 */
const VARIABLE = 'KUNWIND_PLAIN_COPIES';

const copies = new Map<string, string>(inherited());

/** The copy of a file; undefined when there is none, or none any more. */
export function plainCopyOf(path: string): string | undefined {
  const copy = copies.get(resolve(path));
  return copy !== undefined && existsSync(copy) ? copy : undefined;
}

/**
 * Makes the copy be read instead of the file, here and in processes that are forked from now on.
 */
export function usePlainCopy(path: string, copy: string): void {
  copies.set(resolve(path), copy);
  process.env[VARIABLE] = JSON.stringify(Object.fromEntries(copies));
}

function inherited(): [string, string][] {
  try {
    const known: unknown = JSON.parse(process.env[VARIABLE] ?? '{}');
    if (typeof known !== 'object' || known === null) return [];
    return Object.entries(known).filter((pair): pair is [string, string] => {
      return typeof pair[1] === 'string';
    });
  } catch {
    return [];
  }
}
