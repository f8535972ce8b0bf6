/**
 * Where the decompressed copies of files are, in this process and in the workers that it forks: a
 * copy is made once, and everybody who opens the file by its own name reads the copy.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/** Inherited by workers: a JSON object of absolute paths, from the file to its copy. */
const VARIABLE = 'KUNWIND_PLAIN_COPIES';

const copies = new Map<string, string>(inherited());

/** The copy of a file; undefined when there is none, or no more. */
export function plainCopyOf(path: string): string | undefined {
  const copy = copies.get(resolve(path));
  return copy !== undefined && existsSync(copy) ? copy : undefined;
}

/** Has the copy read instead of the file, here and in processes that are forked from now on. */
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
