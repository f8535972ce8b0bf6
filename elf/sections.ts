/** The sections of an ELF file (gABI chapter 4), which linkers and readers of tables work with. */
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
  SHT_NOTE,
  SHT_PROGBITS,
  SHT_STRTAB,
} from './format.js';
import type { ElfHeader } from './header.js';
import type { SectionHeader } from './header-tables.js';
import { nameAt } from './strings.js';

/** One section header and its contents. */
export interface ElfSection {
  /** Index in the section header table; symbols and other sections refer to it. */
  readonly index: number;
  readonly name: string;
  /** sh_addr, 0 when the section is not loaded; in an object, where the section was placed. */
  readonly address: Address;
  /** sh_size in bytes. */
  readonly size: number;
  /** The section's bytes in the file, read-only. Empty for SHT_NOBITS. */
  readonly data: Uint8Array;
  /** sh_offset: where `data` lies in the file. */
  readonly offset: number;
  /** sh_type. */
  readonly type: number;
  /** The low 32 bits of sh_flags. */
  readonly flags: number;
  /** SHF_ALLOC. */
  readonly loaded: boolean;
  /** SHF_EXECINSTR and SHF_ALLOC. */
  readonly executable: boolean;
  /** sh_link: index of a related section. */
  readonly link: number;
  /** sh_info: for a relocation section, the index of the section that it applies to. */
  readonly info: number;
}

/** The sections in header order. Their bytes are read on first use. */
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
  const sizes = new SectionSizes(path);
  const excess = namesHeader && sizes.add(namesIndex, '', namesHeader);
  if (excess !== undefined) return fail(excess);
  const names = namesHeader && bytesOf(file, namesHeader).data;
  const sections: ElfSection[] = [];
  for (const [index, header] of headers.entries()) {
    const name = names === undefined ? '' : nameAt(names, header.name);
    if (name === undefined) {
      const reason = 'the name runs past the end of the section header string table';
      return fail(malformed(path, `sh_name[${index}]`, header.at, reason));
    }
    const problem = sizes.add(index, name, header);
    if (problem !== undefined) return fail(problem);
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

/** Limit on a section that is read at once, and on all of them together, in bytes. */
const MAX_SECTION = 2 ** 30;
const MAX_ALL = 2 ** 31;
/**
 * Limit on a table that is decoded entry by entry, which takes several times its size. In bytes.
 */
export const MAX_TABLE = 2 ** 27;
const DECODED = new Set(['.sframe', '.eh_frame', '.debug_frame', '.BTF']);

/** Adds up what may be read at once: the size in a header is anybody's claim. */
class SectionSizes {
  private all = 0;

  constructor(private readonly path: string) {}

  add(index: number, name: string, { at, type, flags, size }: SectionHeader): ElfError | undefined {
    // Of debugging information only parts are read.
    const isDebug = /^\.z?debug_/.test(name) && name !== '.debug_frame' && !(flags & SHF_ALLOC);
    if (type === SHT_NOBITS || (type === SHT_PROGBITS && isDebug)) return undefined;
    const bytes = Number(size);
    this.all += bytes;
    const isDecoded = DECODED.has(name) || type === SHT_GNU_SFRAME;
    const limit = isDecoded ? MAX_TABLE : MAX_SECTION;
    const place = { path: this.path, field: `sh_size[${index}]`, offset: at + 32 } as const;
    const value = `${bytes} bytes${name === '' ? '' : ` (${name})`}`;
    if (bytes > limit) return { ...place, kind: 'too-large', value, limit: `${limit} bytes` };
    if (this.all <= MAX_ALL) return undefined;
    return { ...place, kind: 'too-large', value, limit: `${MAX_ALL} bytes for all sections` };
  }
}

function bytesOf(file: FileBytes, { type, offset, size }: SectionHeader): LazyBytes {
  return new LazyBytes(file, Number(offset), type === SHT_NOBITS ? 0 : Number(size));
}

/**
 * An error for a file whose contents were left out: `objcopy --only-keep-debug` keeps the headers
 * of loaded sections without their bytes (SHT_NOBITS), other than notes.
 */
export function checkHasCode(path: string, { sections: headers }: ElfHeader): ElfError | undefined {
  const loaded = headers.filter(({ flags, type, size }) => {
    return (flags & SHF_ALLOC) !== 0 && type !== SHT_NOTE && size > 0n;
  });
  const code = loaded.find(({ flags }) => (flags & SHF_EXECINSTR) !== 0);
  if (code === undefined || loaded.some(({ type }) => type !== SHT_NOBITS)) return undefined;
  const field = `sh_type[${headers.indexOf(code)}]`;
  return { path, field, offset: code.at + 4, kind: 'debug-only' };
}

/** A function that finds the first section of a name. */
export function sectionNamed(
  sections: readonly ElfSection[],
): (name: string) => ElfSection | undefined {
  return (name) => sections.find((section) => section.name === name);
}

/**
 * Whether a section is a loaded SFrame table. Binutils before 2.45 gave `.sframe` the type
 * SHT_PROGBITS, so the name counts as well as the type.
 */
export function isSFrame({ type, name, loaded, size }: ElfSection): boolean {
  return (
    (type === SHT_GNU_SFRAME || name === '.sframe') && loaded && type !== SHT_NOBITS && size > 0
  );
}

/** Why no section is an SFrame table by {@link isSFrame}, as a part of a sentence. */
export function whyNoSFrame(sections: readonly ElfSection[]): string {
  const named = sections.find(({ type, name }) => type === SHT_GNU_SFRAME || name === '.sframe');
  if (named === undefined) return 'no .sframe section';
  if (named.size === 0) return 'its .sframe section is empty';
  return named.type === SHT_NOBITS
    ? 'its .sframe section has no bytes in this file (SHT_NOBITS)'
    : 'its .sframe section is not loaded (no SHF_ALLOC)';
}

/** Whether a section is DWARF call frame information that is not compressed. */
export function isDwarfFrame({ type, name, flags, size }: ElfSection): boolean {
  const isFrame = name === '.eh_frame' || name === '.debug_frame';
  return isFrame && type !== SHT_NOBITS && size > 0 && (flags & SHF_COMPRESSED) === 0;
}
