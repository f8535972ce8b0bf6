import type { Address } from '../base/address.js';
import type { ElfError } from './error.js';
import { readWholeFile } from './file-bytes.js';
import {
  ET_EXEC,
  ET_REL,
  SHDR_SIZE,
  SHF_ALLOC,
  SHF_COMPRESSED,
  SHF_EXECINSTR,
  SHT_GNU_SFRAME,
  SHT_NOBITS,
} from './format.js';
import { malformed } from './header.js';
import { relocateSection } from './object-relocations.js';
import { readSectionStructure } from './structure.js';
import { readTableSymbols } from './tables-symbols.js';
import type { ElfTables, TableSection } from './tables-types.js';
import { fail, ok, type Result } from '../base/result.js';

/**
 * Where the sections of a relocatable object lie: every one at address 0, as its headers say and as
 * readelf prints them, or one after the other, so that an address names one place.
 */
export type ObjectLayout = 'zero' | 'apart';

/** How many times a file's size its sections may have: work is done for each section. */
const OVERLAP = 4;
/** Limit on the loaded bytes of an object, NOBITS included. */
const MAX_OBJECT = 2 ** 40;
/** Largest alignment honoured; the gABI sets none. */
const MAX_ALIGNMENT = 2 ** 21;
/** The first loaded section of an object is here: address 0 stays no place at all. */
const OBJECT_BASE = 0x1_0000;

/**
 * Reads any little-endian AArch64 ELF: executable, shared library, kernel, module or object, plain or
 * gzip-compressed. Needs no program headers. Never throws.
 */
export function loadElfTables(
  path: string,
  layout: ObjectLayout = 'apart',
): Result<ElfTables, ElfError> {
  const file = readWholeFile(path);
  return file.ok ? parseElfTables(path, file.value, layout) : file;
}

/** As {@link loadElfTables}, from bytes in memory, of which views are kept. */
export function parseElfTables(
  path: string,
  bytes: Uint8Array,
  layout: ObjectLayout = 'apart',
): Result<ElfTables, ElfError> {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const raw = readSectionStructure(path, file);
  if (!raw.ok) return raw;
  const type = file.readUInt16LE(16);
  const isObject = type === ET_REL;
  const shoff = Number(file.readBigUInt64LE(40));
  const unplaced = raw.value.map((section, index): TableSection => {
    const loaded = (section.flags & SHF_ALLOC) !== 0;
    const executable = loaded && (section.flags & SHF_EXECINSTR) !== 0;
    const info = file.readUInt32LE(shoff + index * SHDR_SIZE + 44);
    return { ...section, index, info, loaded, executable };
  });
  const total = unplaced.reduce((sum, { data }) => sum + data.length, 0);
  if (total > OVERLAP * file.length) {
    const reason = `the sections overlap: ${total} bytes in a file of ${file.length}`;
    return fail(malformed(path, 'section header table', shoff, reason));
  }
  const placed =
    isObject && layout === 'apart'
      ? layOut(path, file, shoff, unplaced)
      : checkPlaces(path, shoff, unplaced);
  if (!placed.ok) return placed;
  const sections = placed.value;

  const symbols = readTableSymbols(path, sections, isObject);
  if (!symbols.ok) return symbols;
  const relocated = (section: TableSection): Result<TableSection, ElfError> =>
    isObject ? relocateSection(path, sections, section) : ok(section);
  const sframe = each(sections.filter(isSFrame), relocated);
  if (!sframe.ok) return sframe;
  const dwarfFrames = each(sections.filter(isDwarfFrame), relocated);
  if (!dwarfFrames.ok) return dwarfFrames;
  return ok({
    path,
    type: isObject ? 'rel' : type === ET_EXEC ? 'exec' : 'dyn',
    sections,
    ...symbols.value,
    sframe: sframe.value,
    dwarfFrames: dwarfFrames.value,
  });
}

/** Binutils before 2.45 gave .sframe the type SHT_PROGBITS, so the name counts as well. */
function isSFrame({ type, name, loaded, data }: TableSection): boolean {
  return (type === SHT_GNU_SFRAME || name === '.sframe') && loaded && data.length > 0;
}

function isDwarfFrame({ name, data, flags }: TableSection): boolean {
  const isFrame = name === '.eh_frame' || name === '.debug_frame';
  return isFrame && data.length > 0 && (flags & SHF_COMPRESSED) === 0;
}

function each(
  sections: readonly TableSection[],
  change: (section: TableSection) => Result<TableSection, ElfError>,
): Result<TableSection[], ElfError> {
  const changed: TableSection[] = [];
  for (const section of sections) {
    const one = change(section);
    if (!one.ok) return one;
    changed.push(one.value);
  }
  return ok(changed);
}

/** Every loaded section must lie at addresses that a Number holds exactly. */
function checkPlaces(
  path: string,
  shoff: number,
  sections: readonly TableSection[],
): Result<readonly TableSection[], ElfError> {
  for (const { index, address, size, loaded } of sections) {
    if (!loaded || Number.isSafeInteger(address + size)) continue;
    const at = shoff + index * SHDR_SIZE + 16;
    return fail(malformed(path, `sh_addr[${index}]`, at, 'is not a virtual address'));
  }
  return ok(sections);
}

function layOut(
  path: string,
  file: Buffer,
  shoff: number,
  sections: readonly TableSection[],
): Result<readonly TableSection[], ElfError> {
  let next: Address = OBJECT_BASE;
  const placed: TableSection[] = [];
  for (const section of sections) {
    if (!section.loaded) {
      placed.push({ ...section, address: 0 });
      continue;
    }
    const header = shoff + section.index * SHDR_SIZE;
    const wanted = Number(file.readBigUInt64LE(header + 48));
    const alignment = Math.min(Math.max(wanted, 16), MAX_ALIGNMENT);
    const address = Math.ceil(next / alignment) * alignment;
    // NOBITS costs no bytes of the file, so its size is bounded by nothing else.
    const size = section.type === SHT_NOBITS ? section.size : section.data.length;
    next = address + size;
    if (!(next - OBJECT_BASE <= MAX_OBJECT)) {
      const place = { path, field: `sh_size[${section.index}]`, offset: header + 32 };
      const limit = `${MAX_OBJECT} bytes for all sections`;
      return fail({ ...place, kind: 'too-large', value: `${size} bytes`, limit });
    }
    placed.push({ ...section, address });
  }
  return ok(placed);
}
