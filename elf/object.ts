/**
 * Relocatable objects: places the sections, which no linker has done yet, and relocates the unwind
 * tables as a linker would.
 */
import type { Address } from '../base/address.js';
import { fail, ok, type Result } from '../base/result.js';
import { type ElfError, malformed } from './error.js';
import { R_AARCH64_NONE, R_AARCH64_WITHDRAWN, SHT_RELA } from './format.js';
import type { SectionHeader } from './header-tables.js';
import type { ElfSection } from './sections.js';
import { applyRelocation, dataBytes, StaticRelocations } from './static-relocations.js';

/**
 * Limit on the loaded bytes of an object. It includes NOBITS, which the file's size does not bound.
 */
const MAX_OBJECT = 2 ** 40;
/** Largest alignment honoured, in bytes; the gABI sets no limit. */
const MAX_ALIGNMENT = 2 ** 21;
/** Address of the first loaded section; not 0, so that no symbol is at address 0. */
const OBJECT_BASE = 0x1_0000;

/**
 * Places the loaded sections one after another, so that an address is unambiguous; the others get
 * address 0. Fails when the loaded sections are too large together.
 */
export function layOutObject(
  path: string,
  sections: readonly ElfSection[],
  headers: readonly SectionHeader[],
): Result<readonly ElfSection[], ElfError> {
  let next: Address = OBJECT_BASE;
  const placed: ElfSection[] = [];
  for (const section of sections) {
    const header = headers[section.index];
    if (!section.loaded || header === undefined) {
      placed.push({ ...section, address: 0 });
      continue;
    }
    const alignment = Math.min(Math.max(Number(header.alignment), 16), MAX_ALIGNMENT);
    const address = Math.ceil(next / alignment) * alignment;
    next = address + section.size;
    if (!(next - OBJECT_BASE <= MAX_OBJECT)) {
      const place = { path, field: `sh_size[${section.index}]`, offset: header.at + 32 };
      const limit = `${MAX_OBJECT} bytes for all sections`;
      return fail({ ...place, kind: 'too-large', value: `${section.size} bytes`, limit });
    }
    placed.push({ ...section, address });
  }
  return ok(placed);
}

/**
 * A copy of an object's unwind table with its relocations applied. Only data relocations are
 * accepted: an unwind table has no others.
 */
export function relocateTable(
  path: string,
  sections: readonly ElfSection[],
  section: ElfSection,
): Result<ElfSection, ElfError> {
  const data = Buffer.from(section.data);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const changes = sections.filter(({ type, info }) => type === SHT_RELA && info === section.index);
  for (const [i, relocations] of changes.entries()) {
    const { name, offset: start } = relocations;
    if (i > 0) {
      const reason = `a second relocation section for section ${section.index}`;
      return fail(malformed(path, name, start, reason));
    }
    const entries = new StaticRelocations(path, sections, relocations);
    for (const one of entries.read()) {
      if (!one.ok) return one;
      const { index, type, offset, value } = one.value;
      if (type === R_AARCH64_NONE || type === R_AARCH64_WITHDRAWN) continue;
      const [field, at] = entries.place(index);
      const bytes = dataBytes(type);
      if (bytes === undefined) {
        return fail({ path, field, offset: at, kind: 'unsupported-relocation', type });
      }
      if (offset + bytes > data.length) {
        const reason = `its place ${offset} lies outside ${section.name}`;
        return fail(malformed(path, field, at, reason));
      }
      const place = section.address + (isSectionRelative(section) ? 0 : offset);
      applyRelocation(view, offset, type, value, place);
    }
  }
  return ok({ ...section, data });
}

/**
 * Whether a table is SFrame from before the PC-relative flag (SFrame V2, errata 1). Function starts
 * are then relative to the section, but assemblers emitted an ordinary PC-relative relocation for
 * them and left the difference to the linker.
 */
function isSectionRelative({ name, data }: ElfSection): boolean {
  return name === '.sframe' && data.length > 4 && (data[2] ?? 3) < 3 && ((data[3] ?? 0) & 4) === 0;
}
