/** The sections of an ELF file (gABI chapter 4): what a linker and a reader of tables know it by. */
import { type Address, addressFromBigInt } from '../base/address.js';
import { fail, ok, type Result } from '../base/result.js';
import { checkRange, type ElfError, malformed } from './error.js';
import { type FileBytes, LazyBytes } from './file-bytes.js';
import {
  SHF_ALLOC,
  SHF_COMPRESSED,
  SHF_EXECINSTR,
  SHT_GNU_SFRAME,
  SHT_NOBITS,
  SHT_STRTAB,
} from './format.js';
import type { ElfHeader } from './header.js';
import type { SectionHeader } from './header-tables.js';
import { nameAt } from './strings.js';

/** One section header and its contents. */
export interface ElfSection {
  /** Its number in the section header table, by which symbols and other sections name it. */
  readonly index: number;
  readonly name: string;
  /** sh_addr, 0 when the section is not loaded; in an object, where the section was laid out. */
  readonly address: Address;
  /** sh_size in bytes. */
  readonly size: number;
  /** The bytes in the file, a view: do not write. Empty for SHT_NOBITS. */
  readonly data: Uint8Array;
  /** sh_offset: where `data` lies in the file. */
  readonly offset: number;
  /** sh_type. */
  readonly type: number;
  /** The low 32 bits of sh_flags. */
  readonly flags: number;
  /** SHF_ALLOC. */
  readonly loaded: boolean;
  /** SHF_EXECINSTR, and it is loaded. */
  readonly executable: boolean;
  /** sh_link: index of a related section. */
  readonly link: number;
  /** sh_info: for a relocation section the section that it changes. */
  readonly info: number;
}

/** The sections, in the order of their headers. Their bytes are read when they are used. */
export function readSections(
  path: string,
  file: FileBytes,
  { sections: headers, namesIndex }: ElfHeader,
): Result<readonly ElfSection[], ElfError> {
  for (const [i, { type, offset, size }] of headers.entries()) {
    if (type === SHT_NOBITS) continue;
    const problem = checkRange(path, file.size, `the data of section ${i}`, offset, size);
    if (problem !== undefined) return fail(problem);
  }
  const namesHeader = namesIndex === 0 ? undefined : headers[namesIndex];
  if (namesHeader !== undefined && namesHeader.type !== SHT_STRTAB) {
    const reason = `section ${namesIndex} is not a string table`;
    return fail(malformed(path, 'e_shstrndx', 62, reason));
  }
  const names = namesHeader && bytesOf(file, namesHeader).data;
  const sections: ElfSection[] = [];
  for (const [index, header] of headers.entries()) {
    const name = names === undefined ? '' : nameAt(names, header.name);
    if (name === undefined) {
      const reason = 'the name runs past the end of the section header string table';
      return fail(malformed(path, `sh_name[${index}]`, header.at, reason));
    }
    const { type, flags, link, info } = header;
    const loaded = (flags & SHF_ALLOC) !== 0;
    const bytes = bytesOf(file, header);
    sections.push({
      index,
      name,
      address: addressFromBigInt(header.address),
      size: Number(header.size),
      get data() {
        return bytes.data;
      },
      offset: Number(header.offset),
      type,
      flags,
      loaded,
      executable: loaded && (flags & SHF_EXECINSTR) !== 0,
      link,
      info,
    });
  }
  return ok(sections);
}

function bytesOf(file: FileBytes, { type, offset, size }: SectionHeader): LazyBytes {
  return new LazyBytes(file, Number(offset), type === SHT_NOBITS ? 0 : Number(size));
}

/** Look-up of the first section of a name. */
export function sectionNamed(
  sections: readonly ElfSection[],
): (name: string) => ElfSection | undefined {
  return (name) => sections.find((section) => section.name === name);
}

/** Binutils before 2.45 gave .sframe the type SHT_PROGBITS, so the name counts as well. */
export function isSFrame({ type, name, loaded, size }: ElfSection): boolean {
  return (
    (type === SHT_GNU_SFRAME || name === '.sframe') && loaded && type !== SHT_NOBITS && size > 0
  );
}

/** Call frame information of DWARF that is not compressed. */
export function isDwarfFrame({ type, name, flags, size }: ElfSection): boolean {
  const isFrame = name === '.eh_frame' || name === '.debug_frame';
  return isFrame && type !== SHT_NOBITS && size > 0 && (flags & SHF_COMPRESSED) === 0;
}
