/**
 * The walks of one point: every policy in both modes, by the model, the kernel's own unwinder or
 * both, each judged and counted.
 */
import { Reg } from '../emulator/registers.js';
import type { ExceptionDriver } from '../kernel-model/exception-driver.js';
import type { GroundTruth } from '../kernel-model/ground-truth.js';
import type { WalkMode } from '../unwinder/kunwind.js';
import type { Policy } from '../unwinder/policy.js';
import { WalkResult } from '../unwinder/walk-result.js';
import type { KernelWalker } from '../lab/kernel-walker.js';
import type { Point } from '../lab/point.js';
import { truthAtRequest } from '../lab/point-truth.js';
import { type UnwinderChoice, type WalkDifference, walkDifference } from '../lab/stack-walker.js';
import type { PointContext, SweepObserver } from './sweep-observer.js';
import type { LabParts } from '../lab/lab-parts.js';
import { MODES, type Tally } from './tally.js';
import { TruthList } from '../lab/judge.js';
import { VerdictCode } from '../scenarios/verdict.js';

/** `checked` compares every so many'th instruction's points, of depth 1 and of depth 2. */
const CHECKED_INTERVAL = 16;
const CHECKED_INTERVAL_DEPTH_2 = 2048;

/** Walks at the points of a sweep, which says where it is before each. */
export class PointWalks {
  /** Instruction of the scenario. */
  outerIndex = 0;
  /** Kind of the exception whose handling is interrupted; only where {@link innerIndex} is not negative. */
  outerKind = -1;
  /** Instruction of that handling, or -1 at depth 1. */
  innerIndex = -1;

  private readonly driver: ExceptionDriver;
  private readonly truthList = new TruthList();
  private readonly walk = new WalkResult();
  private readonly kernelWalk = new WalkResult();
  private kind = 0;
  private fn = 0;

  constructor(
    private readonly parts: LabParts,
    private readonly policies: readonly Policy[],
    private readonly tally: Tally,
    private readonly observer: SweepObserver,
    private readonly unwinder: UnwinderChoice,
  ) {
    this.driver = parts.driver;
  }

  /** Make room for what is counted in the function of the instruction that the stepper is at. */
  reserve(): void {
    this.fn = this.parts.functions.at(this.parts.machine.stepper.registers.get(Reg.PC));
    this.tally.reserve(this.fn);
  }

  /**
   * Walk, judge and count, in the handler that asks for a walk. This is the hot path.
   * @param kind of the exception that the handler handles
   * @returns false when the handler's request cannot be made sense of
   */
  take(kind: number, truth: GroundTruth): boolean {
    const { driver, truthList, parts } = this;
    this.kind = kind;
    const task = parts.model.prepare(driver.request);
    if (task === undefined) return false;
    truthAtRequest(truthList, truth, driver, parts.machine.stepper.pc, task);
    const kernel = this.kernelHere();
    if (kernel === undefined) this.byModel();
    else this.byKernel(kernel);
    return true;
  }

  /** The point that is taken. */
  pointOf(kind: number): Point {
    const { outerIndex, outerKind, innerIndex } = this;
    return innerIndex < 0
      ? { index: outerIndex, kind }
      : { index: outerIndex, kind: outerKind, inner: { index: innerIndex, kind } };
  }

  private byModel(): void {
    const { policies, walk, parts } = this;
    for (let p = 0; p < policies.length; p++) {
      const policy = policies[p] as Policy;
      parts.model.walk(policy, 'reliable', walk);
      this.judge(p, 0, walk);
      parts.model.walkBestEffortAfter(policy, walk);
      this.judge(p, 1, walk);
    }
  }

  /** The kernel's own unwinder, where it is to be asked. */
  private kernelHere(): KernelWalker | undefined {
    const { unwinder } = this;
    if (unwinder === 'model') return undefined;
    if (unwinder !== 'checked') return this.parts.kernelUnwinder;
    // The outer index is spread out, so that all parts of an exception's code have their turn.
    const skipped =
      this.innerIndex < 0
        ? this.outerIndex % CHECKED_INTERVAL
        : (this.innerIndex + 379 * this.outerIndex) % CHECKED_INTERVAL_DEPTH_2;
    return skipped === 0 ? this.parts.kernelUnwinder : undefined;
  }

  /** By the kernel's own unwinder, and by the model for comparison. */
  private byKernel(kernel: KernelWalker): void {
    const { policies, walk, kernelWalk, parts, unwinder } = this;
    kernel.prepare(this.driver.request);
    for (let p = 0; p < policies.length; p++) {
      const policy = policies[p] as Policy;
      if (!kernel.supports(policy)) continue;
      for (let m = 0; m < MODES.length; m++) {
        const mode = MODES[m] as WalkMode;
        kernel.walk(policy, mode, kernelWalk);
        let difference: WalkDifference | undefined;
        if (unwinder !== 'kernel') {
          parts.model.walk(policy, mode, walk);
          this.tally.compared++;
          difference = walkDifference(kernelWalk, walk, mode);
          if (difference === undefined) {
            // The kernel does not say why; the model, which agrees, does.
            kernelWalk.status = walk.status;
            kernelWalk.warned = walk.warned;
          }
        }
        const verdict = this.judge(p, m, unwinder === 'checked' ? walk : kernelWalk);
        if (difference !== undefined) {
          const context = this.context(p, m, verdict, kernelWalk);
          const point = this.pointOf(this.kind);
          const disagreement = { context, model: walk, difference };
          this.observer.disagreement?.(this.fn, this.depth, point, disagreement);
        }
      }
    }
    kernel.finish();
  }

  private judge(policy: number, mode: number, walk: WalkResult): number {
    const { judge } = this.parts;
    const reliable = mode === 0;
    const verdict = reliable
      ? judge.judgeReliable(walk, this.truthList)
      : judge.judgeBestEffort(walk, this.truthList);
    this.count(policy, mode, verdict, walk);
    if (reliable && verdict === VerdictCode.UNRELIABLE) {
      this.tally.addReason(policy, walk.status);
    }
    return verdict;
  }

  private get depth(): number {
    return this.innerIndex < 0 ? 1 : 2;
  }

  private count(policy: number, mode: number, verdict: number, walk: WalkResult): void {
    const { kind, observer } = this;
    const cell = this.tally.index(this.fn, kind, this.depth, policy, mode, verdict);
    const count = this.tally.add(cell);
    if (observer.walked !== undefined) {
      observer.walked(this.pointOf(kind), this.context(policy, mode, verdict, walk));
    }
    if (count === 1 && verdict !== VerdictCode.EXACT) {
      observer.example(cell, this.pointOf(kind), this.context(policy, mode, verdict, walk));
    }
  }

  private context(policy: number, mode: number, verdict: number, walk: WalkResult): PointContext {
    return {
      pc: this.parts.machine.stepper.pc,
      policy: this.policies[policy] as Policy,
      mode: MODES[mode] ?? 'reliable',
      verdict,
      truth: this.truthList,
      walk,
    };
  }
}
