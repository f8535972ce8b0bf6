/**
 * A relocatable object: where its sections lie, which no linker has placed yet, and its unwind tables
 * as a linker would have written them.
 */
import type { Address } from '../base/address.js';
import { fail, ok, type Result } from '../base/result.js';
import { type ElfError, malformed } from './error.js';
import { R_AARCH64_NONE, R_AARCH64_WITHDRAWN, SHT_RELA } from './format.js';
import type { SectionHeader } from './header-tables.js';
import type { ElfSection } from './sections.js';
import { applyRelocation, dataBytes, StaticRelocations } from './static-relocations.js';

/** Limit on the loaded bytes of an object, NOBITS included: those cost no bytes of the file. */
const MAX_OBJECT = 2 ** 40;
/** Largest alignment honoured; the gABI sets none. */
const MAX_ALIGNMENT = 2 ** 21;
/** The first loaded section of an object is here, so that no symbol is at address 0. */
const OBJECT_BASE = 0x1_0000;

/** The sections one after the other, so that an address names one place; those not loaded are at 0. */
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
 * A copy of a section of an object with its relocations applied, of which only those of data are
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
 * SFrame before the PC-relative flag: function starts are relative to the section, but assemblers
 * gave the field an ordinary PC-relative relocation and left the rest to the linker (SFrame V2,
 * errata 1).
 */
function isSectionRelative({ name, data }: ElfSection): boolean {
  return name === '.sframe' && data.length > 4 && (data[2] ?? 3) < 3 && ((data[3] ?? 0) & 4) === 0;
}
