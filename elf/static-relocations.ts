/**
 * The relocations of an object, and how to apply each as a linker would (ELF for the Arm 64-bit
 * Architecture, static AArch64 relocations).
 */
import type { Address } from '../base/address.js';
import { fail, ok, type Result } from '../base/result.js';
import { type ElfError, malformed } from './error.js';
import {
  R_AARCH64_ABS32,
  R_AARCH64_ABS64,
  R_AARCH64_CALL26,
  R_AARCH64_JUMP26,
  R_AARCH64_PREL32,
  R_AARCH64_PREL64,
} from './format.js';
import { RelocationEntries } from './relocation-entries.js';
import type { ElfSection } from './sections.js';
import { SymbolEntries } from './symbol-entries.js';

/** One relocation of an object. */
export interface StaticRelocation {
  /** Index in the relocation section. */
  readonly index: number;
  /** R_AARCH64_*. */
  readonly type: number;
  /** Bytes from the start of the section that it applies to: {@link RelocationEntries.offset}. */
  readonly offset: number;
  /** Index of its symbol. */
  readonly symbol: number;
  /** The symbol is defined in this object. */
  readonly defined: boolean;
  /** S + A of the ELF specification; S is 0 for an undefined symbol, as in readelf's output. */
  readonly value: bigint;
}

/** One SHT_RELA section of an object, with the symbols that it refers to. */
export class StaticRelocations {
  private readonly entries: RelocationEntries;
  private readonly symbols: SymbolEntries;

  /** @param sections the sections of the object, with their addresses */
  constructor(
    private readonly path: string,
    private readonly sections: readonly ElfSection[],
    section: ElfSection,
  ) {
    this.entries = new RelocationEntries(section);
    this.symbols = SymbolEntries.ofSection(sections, section.link);
  }

  /** Yields the relocations in file order. An error is the last thing that it yields. */
  *read(): Generator<Result<StaticRelocation, ElfError>> {
    const { entries, symbols } = this;
    for (let index = 0; index < entries.count; index++) {
      const symbol = entries.symbol(index);
      if (symbol >= symbols.count) {
        const reason = `symbol ${symbol} does not exist`;
        yield fail(malformed(this.path, ...entries.place(index), reason));
        return;
      }
      const type = entries.type(index);
      const offset = entries.offset(index);
      const defined = symbols.home(symbol) !== 'undefined';
      const value = this.addressOf(symbol) + entries.addend(index);
      yield ok({ index, type, offset, symbol, defined, value });
    }
    const problem = entries.checkEnd(this.path);
    if (problem !== undefined) yield fail(problem);
  }

  /** How an error names a relocation: field, and offset in the file in bytes. */
  place(index: number): [field: string, offset: number] {
    return this.entries.place(index);
  }

  /** The name of a symbol; '' when it has none. */
  symbolName(symbol: number): string {
    return this.symbols.name(symbol) ?? '';
  }

  private addressOf(symbol: number): bigint {
    const { symbols, sections } = this;
    const home = symbols.home(symbol);
    const base = typeof home === 'number' ? (sections[home]?.address ?? 0) : 0;
    return BigInt(base) + symbols.exactValue(symbol);
  }
}

/** Data relocations: how many bytes each writes, and whether it subtracts the place. */
const DATA: Readonly<Record<number, { readonly bytes: 4 | 8; readonly relative: boolean }>> = {
  [R_AARCH64_ABS64]: { bytes: 8, relative: false },
  [R_AARCH64_ABS32]: { bytes: 4, relative: false },
  [R_AARCH64_PREL64]: { bytes: 8, relative: true },
  [R_AARCH64_PREL32]: { bytes: 4, relative: true },
};

/** How many bytes a data relocation writes; undefined for other types. */
export function dataBytes(type: number): 4 | 8 | undefined {
  return DATA[type]?.bytes;
}

/** The bits of an instruction that a relocation changes, and their new value. */
type Field = (target: number, place: Address) => readonly [mask: number, bits: number];

const branch26: Field = (target, place) => [0x03ffffff, (target - place) >> 2];
const offset19: Field = (target, place) => [0x00ffffe0, ((target - place) >> 2) << 5];
const offset14: Field = (target, place) => [0x0007ffe0, ((target - place) >> 2) << 5];
const bytes21: Field = (target, place) => [0x60ffffe0, adrBits(target - place)];
const pages21: Field = (target, place) => {
  return [0x60ffffe0, adrBits(Math.floor(target / 4096) - Math.floor(place / 4096))];
};
const low12 = (scale: number): Field => {
  return (target) => [0x003ffc00, ((target & 0xfff) >> scale) << 10];
};

/** immlo and immhi of ADR and ADRP. */
function adrBits(value: number): number {
  return ((value & 3) << 29) | (((value >> 2) & 0x7ffff) << 5);
}

const CODE: ReadonlyMap<number, Field> = new Map([
  [273, offset19], // LD_PREL_LO19
  [274, bytes21], // ADR_PREL_LO21
  [275, pages21], // ADR_PREL_PG_HI21
  [276, pages21], // ADR_PREL_PG_HI21_NC
  [277, low12(0)], // ADD_ABS_LO12_NC
  [278, low12(0)], // LDST8_ABS_LO12_NC
  [279, offset14], // TSTBR14
  [280, offset19], // CONDBR19
  [R_AARCH64_JUMP26, branch26],
  [R_AARCH64_CALL26, branch26],
  [284, low12(1)], // LDST16_ABS_LO12_NC
  [285, low12(2)], // LDST32_ABS_LO12_NC
  [286, low12(3)], // LDST64_ABS_LO12_NC
  [299, low12(4)], // LDST128_ABS_LO12_NC
]);

/**
 * Applies one relocation. Does nothing when its type is unknown or it lies outside the section.
 * @param section the bytes to change
 * @param offset of the relocated place in `section`, in bytes
 * @param value S + A; for code, a Number must hold it exactly
 * @param place the address of the relocated place
 */
export function applyRelocation(
  section: DataView,
  offset: number,
  type: number,
  value: bigint,
  place: Address,
): void {
  const data = DATA[type];
  const field = CODE.get(type);
  if (offset + (data?.bytes ?? 4) > section.byteLength) return;
  if (data !== undefined) {
    const result = data.relative ? value - BigInt(place) : value;
    if (data.bytes === 8) section.setBigInt64(offset, BigInt.asIntN(64, result), true);
    else section.setInt32(offset, Number(BigInt.asIntN(32, result)), true);
  }
  if (field === undefined) return;
  const word = section.getUint32(offset, true);
  const [mask, bits] = field(Number(value), place);
  section.setUint32(offset, ((word & ~mask) | (bits & mask)) >>> 0, true);
}
