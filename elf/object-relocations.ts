import type { ElfError } from './error.js';
import {
  R_AARCH64_ABS32,
  R_AARCH64_ABS64,
  R_AARCH64_NONE,
  R_AARCH64_PREL32,
  R_AARCH64_PREL64,
  R_AARCH64_WITHDRAWN,
  RELA_SIZE,
  SHN_ABS,
  SHT_RELA,
  SYM_SIZE,
} from './format.js';
import { malformed } from './header.js';
import type { TableSection } from './tables-types.js';
import { fail, ok, type Result } from '../base/result.js';

/** One relocation of an object. `value` is S + A of the ELF specification. */
export interface ObjectRelocation {
  readonly type: number;
  /** Bytes from the start of the section that it changes. */
  readonly offset: number;
  readonly value: bigint;
  /** The symbol is defined in this object. */
  readonly defined: boolean;
}

/** What a data relocation writes: bytes, and whether the place is subtracted. */
const DATA: Readonly<Record<number, { readonly bytes: 4 | 8; readonly relative: boolean }>> = {
  [R_AARCH64_ABS64]: { bytes: 8, relative: false },
  [R_AARCH64_ABS32]: { bytes: 4, relative: false },
  [R_AARCH64_PREL64]: { bytes: 8, relative: true },
  [R_AARCH64_PREL32]: { bytes: 4, relative: true },
};

/**
 * A copy of `section` of an object with its data relocations applied (ELF for the Arm 64-bit
 * Architecture, static data relocations). An undefined symbol counts as 0, as readelf has it.
 */
export function relocateSection(
  path: string,
  sections: readonly TableSection[],
  section: TableSection,
): Result<TableSection, ElfError> {
  const data = Buffer.from(section.data);
  let seen = false;
  for (const relocations of sections) {
    if (relocations.type !== SHT_RELA || relocations.info !== section.index) continue;
    if (seen) {
      const reason = `a second relocation section for section ${section.index}`;
      return fail(malformed(path, relocations.name, relocations.offset, reason));
    }
    seen = true;
    for (const one of objectRelocations(path, sections, relocations)) {
      if (!one.ok) return one;
      const { type, offset, value, index } = one.value;
      const place = { path, field: `${relocations.name}[${index}]` };
      const at = relocations.offset + index * RELA_SIZE;
      if (type === R_AARCH64_NONE || type === R_AARCH64_WITHDRAWN) continue;
      const how = DATA[type];
      if (how === undefined) {
        return fail({ ...place, offset: at, kind: 'unsupported-relocation', type });
      }
      if (offset + how.bytes > data.length) {
        const reason = `its place ${offset} lies outside ${section.name}`;
        return fail(malformed(path, place.field, at, reason));
      }
      const from = isSectionRelative(section) ? section.address : section.address + offset;
      const result = how.relative ? value - BigInt(from) : value;
      if (how.bytes === 8) data.writeBigInt64LE(BigInt.asIntN(64, result), offset);
      else data.writeInt32LE(Number(BigInt.asIntN(32, result)), offset);
    }
  }
  return ok({ ...section, data });
}

/**
 * SFrame before the PC-relative flag: function starts are relative to the section, but assemblers
 * gave the field an ordinary PC-relative relocation and left the rest to the linker (SFrame V2,
 * errata 1).
 */
function isSectionRelative({ name, data }: TableSection): boolean {
  return name === '.sframe' && data.length > 4 && (data[2] ?? 3) < 3 && ((data[3] ?? 0) & 4) === 0;
}

/** The entries of one SHT_RELA section; after a problem there are no more. */
export function* objectRelocations(
  path: string,
  sections: readonly TableSection[],
  relocations: TableSection,
): Generator<Result<ObjectRelocation & { readonly index: number }, ElfError>> {
  const rela = viewOf(relocations);
  const symtab = sections[relocations.link];
  const symbols = symtab === undefined ? undefined : viewOf(symtab);
  for (let index = 0; index * RELA_SIZE < rela.byteLength; index++) {
    const at = index * RELA_SIZE;
    const bad = (reason: string): Result<never, ElfError> =>
      fail(malformed(path, `${relocations.name}[${index}]`, relocations.offset + at, reason));
    if (at + RELA_SIZE > rela.byteLength) {
      yield bad('half an entry');
      return;
    }
    const symbol = rela.getUint32(at + 12, true) * SYM_SIZE;
    if (symbols === undefined || symbol + SYM_SIZE > symbols.byteLength) {
      yield bad(`symbol ${symbol / SYM_SIZE} does not exist`);
      return;
    }
    const home = symbols.getUint16(symbol + 6, true);
    const base = home === SHN_ABS ? 0 : (sections[home]?.address ?? 0);
    const offset = rela.getBigUint64(at, true);
    yield ok({
      index,
      type: rela.getUint32(at + 8, true),
      offset: offset > 0xffff_ffffn ? Infinity : Number(offset),
      value:
        BigInt(base) + symbols.getBigUint64(symbol + 8, true) + rela.getBigInt64(at + 16, true),
      defined: home !== 0,
    });
  }
}

function viewOf({ data }: TableSection): DataView {
  return new DataView(data.buffer, data.byteOffset, data.byteLength);
}
