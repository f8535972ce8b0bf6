/**
 * Finds the targets of a jump table from the code that uses it: an indexed load from read-only memory,
 * an addition to an anchor, and BR. As that code is executed, registers hold the exact addresses of
 * table and anchor. Only the index is unknown; its bound comes from the comparison before.
 */
import type { Address } from '../base/address.js';
import type { LoadStore } from '../aarch64/load-store.js';
import type { RegisterFile } from '../emulator/registers.js';

/** Entries read of a table, at most: its bound may be unknown. */
const MAX_ENTRIES = 1024;

/** Watches the instructions of one path. */
export class JumpTableReader {
  /** For each register, how many values its last comparison leaves as an index; 0 when unknown. */
  readonly bounds = new Int32Array(32);
  private compared = -1;
  private comparedWith = 0;
  private tableAddress = 0;
  private entrySize = 0;
  private entryStride = 0;
  private entrySigned = false;
  private entries = 0;
  private loadedInto = -1;
  private anchor = 0;
  private extend = 0;
  private shift = 0;
  private sumIn = -1;

  /** Forget everything, as a path begins or a call has been stepped over. */
  reset(): void {
    this.bounds.fill(0);
    this.forgetTable();
  }

  /** Another path is followed: forget what the last one had compared and loaded. */
  forgetTable(): void {
    this.loadedInto = this.sumIn = this.compared = -1;
  }

  /** See a data instruction before it is executed. */
  before(word: number, registers: RegisterFile): void {
    // CMP Rn, #imm (SUBS with the zero register as its result).
    if ((word & 0x7f80001f) === 0x7100001f) {
      const imm = (word >>> 10) & 0xfff;
      this.compared = (word >>> 5) & 31;
      this.comparedWith = ((word >>> 22) & 1) === 1 ? imm << 12 : imm;
      this.bounds[this.compared] = this.comparedWith + 1;
      return;
    }
    // AND Rd, Rn, #mask of low bits.
    if ((word & 0x7f800000) === 0x12000000) {
      const immr = (word >>> 16) & 63;
      const imms = (word >>> 10) & 63;
      if (immr === 0 && imms < 10) this.bounds[word & 31] = 1 << (imms + 1);
      return;
    }
    // ADD Rd, Rn, Rm with an extension or a shift.
    const isExtended = (word & 0x7fe00000) === 0x0b200000;
    const isShifted = (word & 0x7fe00000) === 0x0b000000;
    if (!isExtended && !isShifted) return;
    const rn = (word >>> 5) & 31;
    const rm = (word >>> 16) & 31;
    if (rm === this.loadedInto && rn !== 31) {
      this.extend = isExtended ? (word >>> 13) & 7 : 3;
      this.shift = isExtended ? (word >>> 10) & 7 : (word >>> 10) & 63;
      this.anchor = registers.get(rn);
      this.sumIn = word & 31;
    } else if (rn === this.loadedInto && isShifted && ((word >>> 10) & 63) === 0) {
      this.extend = 3;
      this.shift = 0;
      this.anchor = registers.get(rm);
      this.sumIn = word & 31;
    }
  }

  /** See a load from read-only memory. @param base value of its base register before the load */
  load(access: LoadStore, base: Address): void {
    if (access.index < 0 || !access.general || access.rt < 0) return;
    this.tableAddress = base + access.offset;
    this.entrySize = access.size;
    this.entryStride = 1 << access.shift;
    this.entrySigned = access.signed;
    this.entries = this.bounds[access.index] as number;
    this.loadedInto = access.rt;
    this.sumIn = -1;
  }

  /** See the condition of a branch after a comparison. CS and CC leave one value fewer than HI and LS. */
  condition(condition: number): void {
    if (this.compared < 0) return;
    if (condition >> 1 === 1) this.bounds[this.compared] = this.comparedWith;
    this.compared = -1;
  }

  /**
   * The targets of a BR, or undefined when its register was not loaded from a table.
   * @param read an integer of `size` bytes from read-only memory; undefined outside
   * @param inside whether an address can be a target; the table ends before the first that cannot
   */
  targets(
    register: number,
    read: (address: Address, size: number, signed: boolean) => number | undefined,
    inside: (address: Address) => boolean,
  ): Address[] | undefined {
    const absolute = register === this.loadedInto && this.entrySize === 8;
    if (!absolute && register !== this.sumIn) return undefined;
    const found = new Set<Address>();
    const limit = this.entries > 0 ? Math.min(this.entries, MAX_ENTRIES) : MAX_ENTRIES;
    for (let i = 0; i < limit; i++) {
      const at = this.tableAddress + i * Math.max(this.entryStride, this.entrySize);
      const entry = read(at, this.entrySize, this.entrySigned);
      if (entry === undefined) break;
      const target = absolute
        ? entry
        : this.anchor + extended(entry, this.extend) * 2 ** this.shift;
      if (!inside(target)) break;
      found.add(target);
    }
    return found.size === 0 ? undefined : [...found];
  }
}

/** The `option` field of an extended register: UXTB, UXTH, UXTW, UXTX, SXTB, SXTH, SXTW, SXTX. */
function extended(value: number, option: number): number {
  switch (option) {
    case 0:
      return value & 0xff;
    case 1:
      return value & 0xffff;
    case 2:
      return value >>> 0;
    case 4:
      return (value << 24) >> 24;
    case 5:
      return (value << 16) >> 16;
    case 6:
      return value | 0;
    default:
      return value;
  }
}
