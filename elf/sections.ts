import type { Section } from 'elfy';
import { addressFromWords } from '../base/address.js';
import type { ElfError } from './error.js';
import type { FileBytes } from './file-bytes.js';
import { SHDR_SIZE, SHT_NOBITS, SHT_STRTAB } from './format.js';
import { checkRange, malformed } from './header.js';
import { LazyBytes } from './lazy-bytes.js';
import { nameAt } from './strings.js';
import type { HeaderTable } from './header-table.js';
import type { ElfSection } from './types.js';
import { fail, ok, type Result } from '../base/result.js';

/**
 * The section headers (gABI chapter 4). `raw` comes from elfy, whose 64-bit words are
 * rounded: bounds are checked, and addresses read, in the table itself.
 */
export function readSections(
  path: string,
  file: FileBytes,
  { bytes: table, offset: tableOffset }: HeaderTable,
  namesIndex: number,
  raw: readonly Section[],
): Result<readonly ElfSection[], ElfError> {
  const fields = raw.map(({ size, off, link }, i) => {
    const at = i * SHDR_SIZE;
    const type = table.readUInt32LE(at + 4);
    return {
      address: addressFromWords(table.readUInt32LE(at + 16), table.readUInt32LE(at + 20)),
      size,
      bytes: new LazyBytes(file, off, type === SHT_NOBITS ? 0 : size),
      offset: off,
      type,
      flags: table.readUInt32LE(at + 8),
      link,
    };
  });
  for (const [i, { type }] of fields.entries()) {
    if (type === SHT_NOBITS) continue;
    const at = i * SHDR_SIZE;
    const offset = table.readBigUInt64LE(at + 24);
    const size = table.readBigUInt64LE(at + 32);
    const problem = checkRange(path, file.size, `the data of section ${i}`, offset, size);
    if (problem !== undefined) return fail(problem);
  }
  const names = namesIndex === 0 ? undefined : fields[namesIndex];
  if (names !== undefined && names.type !== SHT_STRTAB) {
    const reason = `section ${namesIndex} is not a string table`;
    return fail(malformed(path, 'e_shstrndx', 62, reason));
  }
  const sections: ElfSection[] = [];
  for (const [i, { bytes, ...field }] of fields.entries()) {
    const name = names === undefined ? '' : nameAt(names.bytes.data, raw[i]?.name ?? 0);
    if (name === undefined) {
      const reason = 'the name runs out of the section header string table';
      return fail(malformed(path, `sh_name[${i}]`, tableOffset + i * SHDR_SIZE, reason));
    }
    sections.push({
      ...field,
      name,
      get data() {
        return bytes.data;
      },
    });
  }
  return ok(sections);
}
