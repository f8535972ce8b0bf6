/**
 * Loads the zstd decoder ahead of time, since loading it is asynchronous and reading a file is not.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { openFile } from './file-bytes.js';
import { CHDR_SIZE, ELFCOMPRESS_ZSTD, SHF_COMPRESSED } from './format.js';
import { readHeader } from './header.js';
import { readSections } from './sections.js';
import { loadZstd } from './zstd-stream.js';

/**
 * Call and await this before loading a file whose debugging information is wanted. Reports no
 * errors: the loader reports what is wrong with the file.
 */
export async function prepareDebugSections(path: string): Promise<void> {
  if (needsZstd(path)) await loadZstd();
}

const GZIP_MAGIC = 0x8b1f;

function needsZstd(path: string): boolean {
  // Looking inside would mean decompressing the file twice.
  if (magicOf(path) === GZIP_MAGIC) return true;
  const file = openFile(path);
  if (!file.ok) return false;
  const header = readHeader(path, file.value, 'any');
  const sections = header.ok ? readSections(path, file.value, header.value) : header;
  if (!sections.ok) return false;
  try {
    return sections.value.some(({ name, flags, size, offset }) => {
      const isCompressed = (flags & SHF_COMPRESSED) !== 0 && size >= CHDR_SIZE;
      if (!isCompressed || !name.startsWith('.debug_')) return false;
      return file.value.read(offset, CHDR_SIZE).readUInt32LE(0) === ELFCOMPRESS_ZSTD;
    });
  } catch {
    return false;
  }
}

function magicOf(path: string): number | undefined {
  const magic = Buffer.alloc(2);
  try {
    const descriptor = openSync(path, 'r');
    readSync(descriptor, magic, 0, magic.length, 0);
    closeSync(descriptor);
  } catch {
    return undefined;
  }
  return magic.readUInt16LE(0);
}
