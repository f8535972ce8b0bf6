import type { Header, Section } from 'elfy';
import { addressFromWords } from './address.js';
import type { ElfError } from './elf-error.js';
import { SHDR_SIZE, SHT_NOBITS, SHT_STRTAB } from './elf-format.js';
import { checkRange, malformed } from './elf-header.js';
import { nameAt } from './elf-strings.js';
import type { ElfSection } from './elf-types.js';
import { fail, ok, type Result } from './result.js';

/**
 * The section headers (gABI chapter 4). `raw` comes from elfy, whose 64-bit words are
 * rounded: bounds are checked, and addresses read, in the file itself.
 */
export function readSections(
  path: string,
  file: Buffer,
  header: Header,
  raw: readonly Section[],
): Result<readonly ElfSection[], ElfError> {
  const sections: ElfSection[] = [];
  for (const [i, section] of raw.entries()) {
    const at = header.shoff + i * SHDR_SIZE;
    const type = file.readUInt32LE(at + 4);
    if (type !== SHT_NOBITS) {
      const offset = file.readBigUInt64LE(at + 24);
      const size = file.readBigUInt64LE(at + 32);
      const problem = checkRange(path, file, `the data of section ${i}`, offset, size);
      if (problem !== undefined) return fail(problem);
    }
    sections.push({
      name: '',
      address: addressFromWords(file.readUInt32LE(at + 16), file.readUInt32LE(at + 20)),
      size: section.size,
      data: type === SHT_NOBITS ? section.data.subarray(0, 0) : section.data,
      offset: section.off,
      type,
      flags: file.readUInt32LE(at + 8),
      link: section.link,
    });
  }
  return nameSections(path, header, raw, sections);
}

function nameSections(
  path: string,
  header: Header,
  raw: readonly Section[],
  sections: readonly ElfSection[],
): Result<readonly ElfSection[], ElfError> {
  const table = sections[header.shstrndx];
  if (table === undefined || header.shstrndx === 0) return ok(sections);
  if (table.type !== SHT_STRTAB) {
    const reason = `section ${header.shstrndx} is not a string table`;
    return fail(malformed(path, 'e_shstrndx', 62, reason));
  }
  const named: ElfSection[] = [];
  for (const [i, section] of sections.entries()) {
    const name = nameAt(table.data, raw[i]?.name ?? 0);
    if (name === undefined) {
      const reason = 'the name runs out of the section header string table';
      return fail(malformed(path, `sh_name[${i}]`, header.shoff + i * SHDR_SIZE, reason));
    }
    named.push({ ...section, name });
  }
  return ok(named);
}
