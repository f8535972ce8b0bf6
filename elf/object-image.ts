/**
 * Makes an image of a relocatable object or a module: the sections are placed one after another and
 * relocated, so that branches, tables and addresses mean what they would in a linked file.
 */
import type { Address } from '../base/address.js';
import { fail, ok, type Result } from '../base/result.js';
import type { ElfError } from './error.js';
import { type ElfFile, readElfFile } from './file.js';
import { SHT_NOBITS, SHT_RELA } from './format.js';
import type { ElfImage } from './image.js';
import { type ElfSection, sectionNamed } from './sections.js';
import type { ElfSegment } from './segments.js';
import { applyRelocation, StaticRelocations } from './static-relocations.js';
import type { ElfSymbol } from './symbols.js';

/** Distance in bytes between the places of two undefined symbols. */
const EXTERN_SIZE = 16;
/** Undefined symbols are placed after everything else, on pages of their own (64 KiB at most). */
const EXTERN_ALIGNMENT = 0x10000;

/**
 * Loads an object. Each loaded section becomes a segment that shares the section's memory and
 * cannot be moved. An undefined symbol gets an address of its own where there is no code, so that a
 * call to `panic` is recognised by name.
 */
export function loadObject(path: string): Result<ElfImage, ElfError> {
  const file = readElfFile(path, 'apart');
  if (!file.ok) return file;
  const elf = file.value;
  const externs = new Externs(endOf(elf));
  const tables = new Set([...elf.sframe, ...elf.dwarfFrames]);
  const changes = relocationsBySection(elf);
  const sections = [...elf.sections];
  for (const section of elf.sections.filter(isInMemory)) {
    // The unwind tables are relocated already.
    if (tables.has(section)) continue;
    const relocated = relocateSection(elf, section, changes.get(section.index) ?? [], externs);
    if (!relocated.ok) return relocated;
    sections[section.index] = relocated.value;
  }
  const segments = sections.filter(isInMemory).map(({ address, data, executable }): ElfSegment => ({
    address,
    memorySize: data.length,
    data,
    readable: true,
    writable: false,
    executable,
  }));
  return ok({
    ...elf,
    segments,
    sections,
    symbols: [...elf.symbols, ...externs.symbols()],
    section: sectionNamed(sections),
    applyRelocations: () => ok(segments.map((segment) => ({ ...segment }))),
  });
}

function isInMemory({ loaded, type, size }: ElfSection): boolean {
  return loaded && type !== SHT_NOBITS && size > 0;
}

function endOf({ sections }: ElfFile): Address {
  const ends = sections.map(({ loaded, address, size }) => (loaded ? address + size : 0));
  return ends.reduce((high, end) => Math.max(high, end), 0);
}

/** The relocation sections, by the number of the section that they apply to. */
function relocationsBySection({ sections }: ElfFile): ReadonlyMap<number, ElfSection[]> {
  const found = new Map<number, ElfSection[]>();
  for (const section of sections) {
    if (section.type !== SHT_RELA) continue;
    const known = found.get(section.info);
    if (known === undefined) found.set(section.info, [section]);
    else known.push(section);
  }
  return found;
}

/**
 * A copy of a section with its relocations applied. One whose result is not an address is skipped.
 */
function relocateSection(
  { path, sections }: ElfFile,
  section: ElfSection,
  changes: readonly ElfSection[],
  externs: Externs,
): Result<ElfSection, ElfError> {
  const data = new Uint8Array(section.data);
  const view = new DataView(data.buffer);
  for (const change of changes) {
    const relocations = new StaticRelocations(path, sections, change);
    for (const one of relocations.read()) {
      if (!one.ok) return fail(one.error);
      const { type, offset, symbol, defined, value } = one.value;
      const target = defined ? value : value + externs.placeOf(relocations.symbolName(symbol));
      if (!Number.isSafeInteger(Number(target))) continue;
      applyRelocation(view, offset, type, target, section.address + offset);
    }
  }
  return ok({ ...section, data });
}

/** Assigns places to undefined symbols, in the order in which they are asked for. */
class Externs {
  private readonly places = new Map<string, Address>();
  private readonly start: Address;

  /** @param end one past the last address of everything else */
  constructor(end: Address) {
    this.start = Math.ceil(end / EXTERN_ALIGNMENT) * EXTERN_ALIGNMENT;
  }

  placeOf(name: string): bigint {
    let place = this.places.get(name);
    if (place === undefined) {
      place = this.start + EXTERN_SIZE * this.places.size;
      this.places.set(name, place);
    }
    return BigInt(place);
  }

  symbols(): ElfSymbol[] {
    const common = {
      size: 0,
      kind: 'function',
      global: false,
      weak: false,
      absolute: true,
      section: 0,
      file: '',
    } as const;
    return [...this.places].map(([name, address]) => ({ name, address, ...common }));
  }
}
