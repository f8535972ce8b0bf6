/** Searches one SFrame section: functions by address, then rows by offset. */

import { type Address } from '../base/address.js';
import { FDE_TYPE_DEFAULT, INFO2_FDE_TYPE, INFO_PCTYPE_MASK } from './sframe/format.js';
import { type SFrameSection } from './sframe/section.js';

export class SectionIndex {
  /** Number of functions that cover at least one byte. */
  readonly count: number;
  /** Lowest function address, and one past the highest byte covered. Both 0 when empty. */
  readonly low: Address;
  readonly high: Address;

  /** Function indices in address order; functions at the same address in table order. */
  private readonly order: Uint32Array;
  /** Start of the k-th function in address order. */
  private readonly start: Float64Array;
  /**
   * Highest end among functions 0..k, which bounds how far a search looks back for an outer one.
   */
  private readonly reach: Float64Array;

  /** @param ruleIndex maps a rule of the section to the index that searches return */
  constructor(
    private readonly section: SFrameSection,
    private readonly ruleIndex: Int32Array,
  ) {
    const { start, size, count } = section.functions;
    const covering: number[] = [];
    let sorted = true;
    let previous = -Infinity;
    for (let f = 0; f < count; f++) {
      // An empty function covers no PC, and would only widen the cached range.
      if (size[f] === 0) continue;
      covering.push(f);
      const address = start[f] as number;
      sorted &&= address >= previous;
      previous = address;
    }
    // The header's sorted flag is not trusted. sort() is stable, so equal addresses keep table
    // order.
    if (!sorted) covering.sort((a, b) => (start[a] as number) - (start[b] as number));

    this.count = covering.length;
    this.order = Uint32Array.from(covering);
    this.start = Float64Array.from(covering, (f) => start[f] as number);
    this.reach = new Float64Array(this.count);
    let reach = -Infinity;
    for (let k = 0; k < this.count; k++) {
      const f = covering[k] as number;
      reach = Math.max(reach, (start[f] as number) + (size[f] as number));
      this.reach[k] = reach;
    }
    this.low = this.count === 0 ? 0 : (this.start[0] as number);
    this.high = this.count === 0 ? 0 : reach;
  }

  /** The rule for `pc`, or -1. Where functions overlap, the one that starts last wins. */
  search(pc: Address): number {
    const f = this.functionAt(pc);
    return f < 0 ? -1 : this.ruleIn(f, pc - (this.section.functions.start[f] as number));
  }

  /** The index of the function that covers `pc`, or -1. */
  functionAt(pc: Address): number {
    const { start, reach, order } = this;
    const { size } = this.section.functions;
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((start[middle] as number) <= pc) low = middle + 1;
      else high = middle;
    }
    for (let k = low - 1; k >= 0 && pc < (reach[k] as number); k--) {
      const f = order[k] as number;
      if (pc < (start[k] as number) + (size[f] as number)) return f;
    }
    return -1;
  }

  /** The rule at `offset` bytes into function `f`, or -1 before its first row. */
  private ruleIn(f: number, offset: number): number {
    const { functions, rows, header, outermostRule } = this.section;
    const first = functions.firstRow[f] as number;
    const count = functions.rowCount[f] as number;
    if (count === 0) {
      // Spec section 1.2: only a V3 default function without rows means "outermost".
      const fdeType = (functions.info2[f] as number) & INFO2_FDE_TYPE;
      const outermost = header.version === 3 && fdeType === FDE_TYPE_DEFAULT;
      return outermost ? (this.ruleIndex[outermostRule] as number) : -1;
    }
    const isMask = ((functions.info[f] as number) & INFO_PCTYPE_MASK) !== 0;
    if (isMask && header.version === 1) return this.ruleInMaskV1(first, count, offset);
    // Spec section 2.3.3.1: the block repeats from the function's start, as in libsframe.
    const within = isMask ? offset % (functions.repSize[f] as number) : offset;

    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((rows.start[first + middle] as number) <= within) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? -1 : this.ruleOf(first + low - 1);
  }

  /** V1 has no block size: its row starts are masks, and the last row that matches applies. */
  private ruleInMaskV1(first: number, count: number, offset: number): number {
    for (let row = first + count - 1; row >= first; row--) {
      const mask = this.section.rows.start[row] as number;
      if ((offset & mask) >>> 0 >= mask) return this.ruleOf(row);
    }
    return -1;
  }

  private ruleOf(row: number): number {
    return this.ruleIndex[this.section.rows.rule[row] as number] as number;
  }
}
