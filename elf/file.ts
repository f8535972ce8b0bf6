/**
 * What every ELF file has, be it an executable, a shared library, a kernel, a module or an object:
 * sections, symbols and unwind tables. A file read here is only inspected; image.ts reads files
 * that will be executed.
 */
import type { Address } from '../base/address.js';
import { fail, ok, type Result } from '../base/result.js';
import { type ElfError, malformed } from './error.js';
import { bytesInMemory, type FileBytes } from './file-bytes.js';
import { SHT_NOBITS } from './format.js';
import { type ElfHeader, type ElfType, readHeader } from './header.js';
import { layOutObject, relocateTable } from './object.js';
import { openFile } from './open-file.js';
import {
  checkHasCode,
  type ElfSection,
  isDwarfFrame,
  isSFrame,
  readSections,
  sectionNamed,
} from './sections.js';
import { type ElfSymbol, readSymbols } from './symbols.js';

/** A little-endian AArch64 ELF file. */
export interface ElfFile {
  readonly path: string;
  readonly type: ElfType;
  /** e_entry. */
  readonly entry: Address;
  /** By section number. Of an object's sections only the unwind tables are relocated. */
  readonly sections: readonly ElfSection[];
  /** In file order. Empty for a stripped file. */
  readonly symbols: readonly ElfSymbol[];
  /** No .symtab, so names come from .dynsym at best. The caller should warn about it. */
  readonly stripped: boolean;
  /**
   * Loaded SFrame sections, by type or name; for an image without any, its PT_GNU_SFRAME segment.
   */
  readonly sframe: readonly ElfSection[];
  /** `.eh_frame` and `.debug_frame`, unless compressed. */
  readonly dwarfFrames: readonly ElfSection[];
  /** The first section of that name; undefined when there is none. */
  section(name: string): ElfSection | undefined;
  /**
   * Reads bytes of the file without keeping them: for sections too large to be held as `data`.
   * Returns fewer bytes where the file ends.
   * @throws Error when the file can no longer be read
   */
  read(offset: number, length: number): Uint8Array;
}

/**
 * Where the sections of a relocatable object are placed.
 * - `zero`: every section at address 0, as its headers say and readelf prints them.
 * - `apart`: one after another, so that an address is unambiguous.
 */
export type ObjectLayout = 'zero' | 'apart';

/**
 * Limit on the total size of all sections, as a multiple of the file's size. Every section costs
 * work, so overlapping ones could make a small file expensive.
 */
const OVERLAP = 4;

/**
 * Reads a file, plain or compressed (see {@link openFile}): headers and symbols now, the rest on
 * first use. It needs no program headers. Never throws.
 */
export function readElfFile(
  path: string,
  layout: ObjectLayout = 'apart',
): Result<ElfFile, ElfError> {
  const file = openFile(path);
  return file.ok ? parseFile(path, file.value, layout) : file;
}

/** As {@link readElfFile}, from bytes in memory. The result keeps views of them. */
export function parseElfFile(
  path: string,
  bytes: Uint8Array,
  layout: ObjectLayout = 'apart',
): Result<ElfFile, ElfError> {
  return parseFile(path, bytesInMemory(bytes), layout);
}

function parseFile(path: string, file: FileBytes, layout: ObjectLayout): Result<ElfFile, ElfError> {
  const header = readHeader(path, file, 'any');
  if (!header.ok) return header;
  const { type, entry } = header.value;
  const isObject = type === 'rel';

  const codeless = checkHasCode(path, header.value);
  if (codeless !== undefined) return fail(codeless);
  const unplaced = readSections(path, file, header.value);
  if (!unplaced.ok) return unplaced;
  const problem = checkOverlap(path, file.size, header.value, unplaced.value);
  if (problem !== undefined) return fail(problem);
  const placed =
    isObject && layout === 'apart'
      ? layOutObject(path, unplaced.value, header.value.sections)
      : checkPlaces(path, unplaced.value, header.value);
  if (!placed.ok) return placed;
  const sections = [...placed.value];

  const symbols = readSymbols(path, sections, isObject ? 'object' : 'linked');
  if (!symbols.ok) return symbols;
  for (const isTable of isObject ? [isSFrame, isDwarfFrame] : []) {
    for (const section of placed.value.filter(isTable)) {
      const relocated = relocateTable(path, placed.value, section);
      if (!relocated.ok) return relocated;
      sections[section.index] = relocated.value;
    }
  }
  return ok({
    path,
    type,
    entry,
    sections,
    ...symbols.value,
    sframe: sections.filter(isSFrame),
    dwarfFrames: sections.filter(isDwarfFrame),
    section: sectionNamed(sections),
    read: (offset, length) => file.read(offset, length),
  });
}

function checkOverlap(
  path: string,
  size: number,
  { sections: headers }: ElfHeader,
  sections: readonly ElfSection[],
): ElfError | undefined {
  const total = sections.reduce(
    (sum, { type, size: bytes }) => sum + (type === SHT_NOBITS ? 0 : bytes),
    0,
  );
  if (total <= OVERLAP * size) return undefined;
  const reason = `the sections overlap: ${total} bytes in a file of ${size}`;
  return malformed(path, 'section header table', headers[0]?.at ?? 0, reason);
}

/** Every loaded section must lie at addresses that a Number holds exactly. */
function checkPlaces(
  path: string,
  sections: readonly ElfSection[],
  { sections: headers }: ElfHeader,
): Result<readonly ElfSection[], ElfError> {
  for (const [i, { at }] of headers.entries()) {
    const section = sections[i];
    if (section?.loaded !== true || Number.isSafeInteger(section.address + section.size)) continue;
    return fail(malformed(path, `sh_addr[${i}]`, at + 16, 'is not a virtual address'));
  }
  return ok(sections);
}
