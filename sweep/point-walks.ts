/**
 * The walks of one point: every policy in both modes, by the model, the kernel's own unwinder or
 * both, each judged and counted.
 */
import { Reg } from '../emulator/registers.js';
import type { WalkMode } from '../unwinder/kunwind.js';
import type { Policy } from '../unwinder/policy.js';
import { KERNEL_ERROR } from '../unwinder/walk-reason.js';
import { WalkResult } from '../unwinder/walk-result.js';
import type { Experiment } from '../lab/experiment.js';
import type { KernelWalker } from '../lab/kernel-walker.js';
import { type UnwinderChoice, type WalkDifference, walkDifference } from '../lab/stack-walker.js';
import { Position } from './position.js';
import type { PointContext, SweepObserver } from './sweep-observer.js';
import { MODES, type Tally } from './tally.js';
import { VerdictCode } from '../scenarios/verdict.js';

/** `checked` compares at one in this many instructions at depth 1. */
const CHECKED_INTERVAL = 16;
/** The same at depth 2. */
const CHECKED_INTERVAL_DEPTH_2 = 2048;

/** Walks at the points of a sweep. */
export class PointWalks {
  private readonly walk = new WalkResult();
  private readonly kernelWalk = new WalkResult();
  /** Where the current point is; its kind follows. */
  private position: Readonly<Position> = new Position();
  private kind = 0;
  private fn = 0;

  constructor(
    private readonly experiment: Experiment,
    private readonly policies: readonly Policy[],
    private readonly tally: Tally,
    private readonly observer: SweepObserver,
    private readonly unwinder: UnwinderChoice,
  ) {}

  /** Make room for the counts of the function that the stepper is in. */
  reserve(): void {
    const { functions, machine } = this.experiment.parts;
    this.fn = functions.at(machine.stepper.registers.get(Reg.PC));
    this.tally.reserve(this.fn);
  }

  /**
   * Walk, judge and count, while the handler asks for a walk. This is the hot path.
   * @param position where the exception was taken, in the function of the last {@link reserve}
   * @param kind of the exception that the handler handles
   */
  take(position: Readonly<Position>, kind: number): void {
    this.position = position;
    this.kind = kind;
    const kernel = this.kernelHere();
    if (kernel === undefined) this.byModel();
    else this.byKernel(kernel);
  }

  private byModel(): void {
    const { policies, walk } = this;
    const { model } = this.experiment.parts;
    for (let p = 0; p < policies.length; p++) {
      const policy = policies[p] as Policy;
      model.walk(policy, 'reliable', walk);
      this.judge(p, 0, walk);
      model.walkBestEffortAfter(policy, walk);
      this.judge(p, 1, walk);
    }
  }

  /** The kernel's own unwinder, if it is to be asked at this point. */
  private kernelHere(): KernelWalker | undefined {
    const { unwinder, position } = this;
    if (unwinder === 'model') return undefined;
    const { kernelUnwinder } = this.experiment.parts;
    if (unwinder !== 'checked') return kernelUnwinder;
    // Spreading the outer index makes every part of an exception's code come up in turn.
    const skipped =
      position.innerIndex < 0
        ? position.index % CHECKED_INTERVAL
        : (position.innerIndex + 379 * position.index) % CHECKED_INTERVAL_DEPTH_2;
    return skipped === 0 ? kernelUnwinder : undefined;
  }

  /** Walk with the kernel's own unwinder, and with the model to compare. */
  private byKernel(kernel: KernelWalker): void {
    const { policies, walk, kernelWalk, experiment, unwinder } = this;
    kernel.prepare(experiment.request);
    for (let p = 0; p < policies.length; p++) {
      const policy = policies[p] as Policy;
      if (!kernel.supports(policy)) continue;
      for (let m = 0; m < MODES.length; m++) {
        const mode = MODES[m] as WalkMode;
        kernel.walk(policy, mode, kernelWalk);
        let difference: WalkDifference | undefined;
        if (unwinder !== 'kernel') {
          experiment.parts.model.walk(policy, mode, walk);
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
          const { depth } = this.position;
          const point = this.position.point(this.kind);
          const disagreement = { context, model: walk, difference };
          this.observer.disagreement?.(this.fn, depth, point, disagreement);
        }
      }
    }
    kernel.finish();
  }

  private judge(policy: number, mode: number, walk: WalkResult): number {
    const verdict = this.experiment.judge(MODES[mode] as WalkMode, walk);
    this.count(policy, mode, verdict, walk);
    if (mode === 0 && verdict === VerdictCode.UNRELIABLE) {
      this.tally.addReason(policy, walk.status);
    }
    return verdict;
  }

  private count(policy: number, mode: number, verdict: number, walk: WalkResult): void {
    const { kind, position, observer } = this;
    const cell = this.tally.index(this.fn, kind, position.depth, policy, mode, verdict);
    const count = this.tally.add(cell);
    if (observer.walked !== undefined) {
      observer.walked(position.point(kind), this.context(policy, mode, verdict, walk));
    }
    if (count === 1 && verdict !== VerdictCode.EXACT) {
      observer.example(cell, position.point(kind), this.context(policy, mode, verdict, walk));
    }
  }

  private context(policy: number, mode: number, verdict: number, walk: WalkResult): PointContext {
    const { experiment, policies } = this;
    const { kernelUnwinder } = experiment.parts;
    const failed = walk === this.kernelWalk && walk.status === KERNEL_ERROR;
    return {
      pc: experiment.parts.machine.stepper.pc,
      policy: policies[policy] as Policy,
      mode: MODES[mode] ?? 'reliable',
      verdict,
      truth: experiment.truth,
      walk,
      ...(failed && kernelUnwinder !== undefined
        ? {
            findOrigin: (): void => {
              kernelUnwinder.findOrigin(walk);
            },
          }
        : {}),
    };
  }
}
