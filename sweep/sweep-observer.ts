/** What a sweep tells of while it runs, beside what it counts. */
import type { Address } from '../base/address.js';
import type { PtRegsCheck } from '../kernel-model/pt-regs-check.js';
import type { WalkMode } from '../unwinder/kunwind.js';
import type { Policy } from '../unwinder/policy.js';
import type { WalkResult } from '../unwinder/walk-result.js';
import type { Point } from '../lab/point.js';
import type { WrongRow } from './row-check.js';
import type { WalkDifference } from '../lab/stack-walker.js';
import type { Problem } from '../lab/problem.js';
import type { TruthList } from '../lab/judge.js';

/** Hears of what a caller may want to keep. Called rarely. */
export interface SweepObserver {
  /** A verdict other than exact came up for the first time in its cell. */
  example(cell: number, point: Point, context: PointContext): void;
  /** An SFrame row that the CPU contradicts; once an instruction. */
  wrongRow(row: WrongRow): void;
  /** The kernel's own unwinder and the model answer differently. */
  disagreement?(fn: number, depth: number, point: Point, disagreement: Disagreement): void;
  /** A WARN of a real kernel was passed, by the scenario itself or (with a point) in an exception. */
  warned?(address: Address, point: Point | undefined): void;
  /**
   * Entry code has saved something else than the CPU had. The walk is made all the same.
   * @param field what `check` has found
   * @param point undefined when it is a breakpoint of the scenario itself
   */
  savedWrong?(check: PtRegsCheck, field: number, point: Point | undefined): void;
  /** Return false to give up. */
  problem(problem: Problem): boolean;
  /** Any walk, when a single point is replayed. */
  readonly walked?: ((point: Point, context: PointContext) => void) | undefined;
}

/** A judged walk, while it lasts. */
export interface PointContext {
  readonly pc: Address;
  readonly policy: Policy;
  readonly mode: WalkMode;
  readonly verdict: number;
  readonly truth: TruthList;
  readonly walk: WalkResult;
  /** Fills in where an error of the kernel's own unwinder comes from: `walk.failedAt`. Slow. */
  readonly findOrigin?: () => void;
}

/** Two answers to one walk request, while they last: that of the context is the kernel's. */
export interface Disagreement {
  readonly context: PointContext;
  readonly model: WalkResult;
  readonly difference: WalkDifference;
}
