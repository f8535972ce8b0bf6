/**
 * Loads the zstd decoder ahead of time, since loading it is asynchronous and reading a file is not.
 */
import { openFile } from './open-file.js';
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

function needsZstd(path: string): boolean {
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
