/**
 * Counts verdicts by interrupted function, kind, depth, policy and mode. Promises tell exactly
 * these apart, so a worker needs to send only its tally and some examples.
 */
import { BUSY_KPROBE_REASONS } from '../kernel-model/busy-kprobe.js';
import { KIND_COUNT } from '../kernel-model/exception-kind.js';
import { VERDICT_COUNT } from '../scenarios/verdict.js';

/** Walk modes, by their index in a tally. */
export const MODES = ['reliable', 'best-effort'] as const;
export const MODE_COUNT = 2;

/** Depths that a tally distinguishes. */
export const DEPTH_COUNT = 2;

/** What a cell counts. */
export interface CellKey {
  readonly fn: number;
  readonly kind: number;
  /** 1 or 2. */
  readonly depth: number;
  readonly policy: number;
  readonly mode: number;
  readonly verdict: number;
}

const REASON_COUNT = 32;

/** The counts of one scenario. Allocates only when a function is seen for the first time. */
export class Tally {
  /** Points taken: an instruction and a kind each. */
  points = 0;
  /** Walks made by both the kernel's own unwinder and the model. */
  compared = 0;
  private readonly perFunction: number;
  private cells: Uint32Array;
  /** Breakpoints that reach no handler, by index of BUSY_KPROBE_REASONS. */
  readonly untaken = new Uint32Array(BUSY_KPROBE_REASONS.length);
  /** Unreliable verdicts by reason: `[policy][reason]`. */
  readonly reasons: Uint32Array;

  constructor(readonly policyCount: number) {
    this.perFunction = KIND_COUNT * DEPTH_COUNT * policyCount * MODE_COUNT * VERDICT_COUNT;
    this.cells = new Uint32Array(this.perFunction * 8);
    this.reasons = new Uint32Array(policyCount * REASON_COUNT);
  }

  /** Index of a cell; see {@link keyOf}. */
  index(
    fn: number,
    kind: number,
    depth: number,
    policy: number,
    mode: number,
    verdict: number,
  ): number {
    return (
      fn * this.perFunction +
      ((((kind * DEPTH_COUNT + (depth - 1)) * this.policyCount + policy) * MODE_COUNT + mode) *
        VERDICT_COUNT +
        verdict)
    );
  }

  /** Make room for function numbers up to `fn`. */
  reserve(fn: number): void {
    const needed = (fn + 1) * this.perFunction;
    if (needed <= this.cells.length) return;
    const grown = new Uint32Array(Math.max(needed, 2 * this.cells.length));
    grown.set(this.cells);
    this.cells = grown;
  }

  /** Count one verdict; returns the new count. Call {@link reserve} for the function first. */
  add(index: number): number {
    const count = (this.cells[index] as number) + 1;
    this.cells[index] = count;
    return count;
  }

  /** Count one unreliable verdict. @param reason index into WALK_REASONS */
  addReason(policy: number, reason: number): void {
    const at = policy * REASON_COUNT + reason;
    this.reasons[at] = (this.reasons[at] as number) + 1;
  }

  /** Unreliable verdicts of a policy for a reason. */
  reasonCount(policy: number, reason: number): number {
    return this.reasons[policy * REASON_COUNT + reason] ?? 0;
  }

  /** All cells that are not zero. */
  *entries(): Generator<{ readonly key: CellKey; readonly count: number }> {
    const { cells } = this;
    for (let index = 0; index < cells.length; index++) {
      const count = cells[index] as number;
      if (count > 0) yield { key: this.keyOf(index), count };
    }
  }

  private keyOf(index: number): CellKey {
    let rest = index;
    const take = (size: number): number => {
      const value = rest % size;
      rest = (rest - value) / size;
      return value;
    };
    const verdict = take(VERDICT_COUNT);
    const mode = take(MODE_COUNT);
    const policy = take(this.policyCount);
    const depth = take(DEPTH_COUNT) + 1;
    const kind = take(KIND_COUNT);
    return { fn: rest, kind, depth, policy, mode, verdict };
  }
}
