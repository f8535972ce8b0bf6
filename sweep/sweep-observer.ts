/** What a sweep reports while it runs, besides what it counts. */
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

/** Is told what a caller may want to keep. Called rarely. */
export interface SweepObserver {
  /** A verdict other than exact occurred for the first time in its cell. */
  example(cell: number, point: Point, context: PointContext): void;
  /** The CPU contradicts an SFrame row. At most once for each instruction. */
  wrongRow(row: WrongRow): void;
  /** The kernel's own unwinder and the model answer differently. */
  disagreement?(fn: number, depth: number, point: Point, disagreement: Disagreement): void;
  /** A WARN of a real kernel fired, in the scenario itself or, with a point, in an exception. */
  warned?(address: Address, point: Point | undefined): void;
  /**
   * Entry code saved a value that is not the CPU's. The walk is made all the same.
   * @param field what `check` has found
   * @param point undefined when it is a breakpoint of the scenario itself
   */
  savedWrong?(check: PtRegsCheck, field: number, point: Point | undefined): void;
  /** A problem at a point, or in the scenario itself. Return false to give up. */
  problem(problem: Problem): boolean;
  /** Every walk; present only when a single point is replayed. */
  readonly walked?: ((point: Point, context: PointContext) => void) | undefined;
}

/** A judged walk. Valid only during the call: the sweep reuses what it refers to. */
export interface PointContext {
  readonly pc: Address;
  readonly policy: Policy;
  readonly mode: WalkMode;
  readonly verdict: number;
  readonly truth: TruthList;
  readonly walk: WalkResult;
  /** Fills in `walk.failedAt`: where an error of the kernel's own unwinder comes from. Slow. */
  readonly findOrigin?: () => void;
}

/** Two answers to one walk request: the context holds the kernel's. Valid only during the call. */
export interface Disagreement {
  readonly context: PointContext;
  readonly model: WalkResult;
  readonly difference: WalkDifference;
}
