/** Opens files for reading. A device or a pipe is refused, because reading one might never end. */
import { closeSync, constants, fstatSync, openSync, statSync } from 'node:fs';

/** A file that is open for reading. */
export interface OpenFile {
  readonly descriptor: number;
  /** In bytes. */
  readonly size: number;
}

/**
 * Opens a regular file; the caller closes the descriptor.
 * @throws Error when the file cannot be opened or is not regular, without ever waiting for a writer
 */
export function openRegular(path: string): OpenFile {
  // Check before opening it as well, because opening a device may have side effects.
  if (!statSync(path).isFile()) throw new Error(NOT_REGULAR);
  // Without O_NONBLOCK, opening a FIFO that has taken the file's place would wait for a writer.
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const stat = fstatSync(descriptor);
  if (stat.isFile()) return { descriptor, size: stat.size };
  closeSync(descriptor);
  throw new Error(NOT_REGULAR);
}

const NOT_REGULAR = 'not a regular file';
