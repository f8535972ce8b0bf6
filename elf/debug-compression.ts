/** Gets ready for what compresses a file's debugging information: the decoder for zstd has to be waited for. */
import { closeSync, openSync, readSync } from 'node:fs';
import { openFile } from './file-bytes.js';
import { CHDR_SIZE, ELFCOMPRESS_ZSTD, SHF_COMPRESSED } from './format.js';
import { readHeader } from './header.js';
import { readSections } from './sections.js';
import { loadZstd } from './zstd-stream.js';

/** To be waited for before the file is loaded. What is wrong with the file is for the loader to say. */
export async function prepareDebugSections(path: string): Promise<void> {
  if (needsZstd(path)) await loadZstd();
}

const GZIP_MAGIC = 0x8b1f;

function needsZstd(path: string): boolean {
  // What is inside would have to be decompressed twice to be known.
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
