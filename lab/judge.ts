/** Judges one walk against ground truth (docs/design.md, "Verdicts"). */
import type { Address } from '../base/address.js';
import type { CodeRange } from '../kernel-model/kernel-image.js';
import { VerdictCode } from '../scenarios/verdict.js';
import type { WalkResult } from '../unwinder/walk-result.js';

/** Entries of a truth, at most. */
const MAX_TRUTH = 8192;

/** The truth at one stop: the addresses that a complete trace lists, innermost first. */
export class TruthList {
  readonly addresses = new Float64Array(MAX_TRUTH);
  /** 1 for an address that an exception interrupted, 0 for a return address. For printing only. */
  readonly interrupted = new Uint8Array(MAX_TRUTH);
  count = 0;

  clear(): void {
    this.count = 0;
  }

  /** Append an entry. @param interrupted 1 for the PC that an exception interrupted, else 0 */
  push(address: Address, interrupted = 0): void {
    if (this.count === MAX_TRUTH) return;
    this.addresses[this.count] = address;
    this.interrupted[this.count++] = interrupted;
  }

  /** Whether a pending exception has interrupted the instruction at this address. */
  isInterrupted(address: Address): boolean {
    for (let i = 0; i < this.count; i++) {
      if (this.interrupted[i] === 1 && this.addresses[i] === address) return true;
    }
    return false;
  }
}

/** Compares traces with truth. Entries in trampolines are optional in both. */
export class Judge {
  /** During a comparison: 1 for each truth entry that the trace lists. */
  private readonly matched = new Uint8Array(MAX_TRUTH);

  constructor(private readonly trampolines: readonly CodeRange[]) {}

  /** Whether an address lies in a trampoline. */
  isOptional(address: Address): boolean {
    const { trampolines } = this;
    for (let i = 0; i < trampolines.length; i++) {
      const range = trampolines[i] as CodeRange;
      if (address >= range.start && address < range.end) return true;
    }
    return false;
  }

  /** Judge a reliable walk. @returns a `VerdictCode` */
  judgeReliable(walk: WalkResult, truth: TruthList): number {
    if (walk.fault !== 0) return VerdictCode.FAULT;
    if (walk.warned !== 0) return VerdictCode.WARNED;
    if (walk.status !== 0) return VerdictCode.UNRELIABLE;
    return this.isExact(walk, truth) ? VerdictCode.EXACT : this.compare(walk, truth);
  }

  /**
   * Judge a best-effort walk, which does not claim to be complete. It is `unreliable` if it is not exact
   * and says that it stopped early.
   * @returns a `VerdictCode`
   */
  judgeBestEffort(walk: WalkResult, truth: TruthList): number {
    if (walk.fault !== 0) return VerdictCode.FAULT;
    if (walk.warned !== 0) return VerdictCode.WARNED;
    if (this.isExact(walk, truth)) return VerdictCode.EXACT;
    return walk.status !== 0 ? VerdictCode.UNRELIABLE : this.compare(walk, truth);
  }

  /** Whether a trace is exact. Most are, so this comes before {@link compare}, and allocates nothing. */
  private isExact(walk: WalkResult, truth: TruthList): boolean {
    const { entries, count } = walk;
    const { addresses } = truth;
    const pending = truth.count;
    let t = 0;
    for (let i = 0; i < count; i++) {
      const entry = entries[i] as number;
      while (t < pending && addresses[t] !== entry && this.isOptional(addresses[t] as number)) t++;
      if (t < pending && addresses[t] === entry) t++;
      else if (!this.isOptional(entry)) return false;
    }
    while (t < pending && this.isOptional(addresses[t] as number)) t++;
    return t === pending;
  }

  /** Why a trace is not exact. A missing entry outweighs a spurious one. @returns a `VerdictCode` */
  private compare(walk: WalkResult, truth: TruthList): number {
    const { matched } = this;
    const { addresses, count } = truth;
    matched.fill(0, 0, count);
    let next = 0;
    let spurious = false;
    for (let i = 0; i < walk.count; i++) {
      const address = walk.entries[i] as number;
      // Most of a trace is in the order of the truth, so search from the last match on.
      let t = this.find(address, addresses, next, count);
      if (t < 0) t = this.find(address, addresses, 0, next);
      if (t >= 0) {
        matched[t] = 1;
        next = t + 1;
      } else if (!this.isOptional(address)) {
        spurious = true;
      }
    }
    for (let t = 0; t < count; t++) {
      if (matched[t] === 0 && !this.isOptional(addresses[t] as number)) return VerdictCode.MISSING;
    }
    return spurious ? VerdictCode.SPURIOUS : VerdictCode.MISORDERED;
  }

  /** The first unmatched place of an address in `[from, to)`, or -1. */
  private find(address: Address, addresses: Float64Array, from: number, to: number): number {
    const { matched } = this;
    for (let t = from; t < to; t++) {
      if (matched[t] === 0 && addresses[t] === address) return t;
    }
    return -1;
  }
}
