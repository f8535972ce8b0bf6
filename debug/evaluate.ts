/**
 * Judges a position as a sweep would. The free-running driver takes the exception on the other
 * engines, the policy walks from inside the handler, and then everything is restored.
 */
import type { Address } from '../base/address.js';
import type { RegisterFile } from '../emulator/registers.js';
import { fail, ok, type Result } from '../base/result.js';
import { DriverStatus } from '../kernel-model/exception-driver.js';
import { type Experiment, UNKNOWN_TASK } from '../lab/experiment.js';
import type { TruthList } from '../lab/judge.js';
import { VerdictCode } from '../scenarios/verdict.js';
import type { WalkMode } from '../unwinder/kunwind.js';
import type { Policy } from '../unwinder/policy.js';
import { WalkResult } from '../unwinder/walk-result.js';
import type { Timeline } from './timeline.js';

/**
 * What asks for the walk at a position: an exception of a kind (index in `KIND_NAMES`), or
 * `direct`, when the next instruction is itself the walk request.
 */
export type Asker = number | 'direct';

/** A walk request. Valid only while it lasts, because memory is as the handler has it. */
export interface WalkRequest {
  /** Registers at the request: x0 the task, x29 and x30 those of the caller. */
  readonly registers: RegisterFile;
  /** The task that is walked. */
  readonly task: Address;
  /**
   * Truth, innermost first: the handler's calls, the interrupted PC, and the calls pending there.
   */
  readonly truth: TruthList;
  /** Walk and judge. @returns a `VerdictCode` */
  readonly judge: (policy: Policy, mode: WalkMode, out: WalkResult) => number;
  /**
   * The same by a real kernel's own unwinder.
   * @returns undefined when that is not asked: for the built-in kernel, which a sweep compares, and
   * for a kernel without the policy
   */
  readonly judgeKernel: (policy: Policy, mode: WalkMode, out: WalkResult) => number | undefined;
}

/** Why there is no walk. */
export interface NoWalk {
  /** `impossible`: that kind cannot be taken here. `problem`: it was taken, but went wrong. */
  readonly kind: 'impossible' | 'problem';
  /** One line. */
  readonly message: string;
}

/** One judged walk, as data that stays valid. */
export interface Evaluation {
  readonly verdict: number;
  readonly walk: WalkResult;
  readonly truth: readonly Address[];
}

/** Verdicts on walks that livepatch must not trust, or in which the unwinder itself goes wrong. */
export const UNSAFE_VERDICTS: readonly number[] = [
  VerdictCode.MISSING,
  VerdictCode.SPURIOUS,
  VerdictCode.MISORDERED,
  VerdictCode.WARNED,
  VerdictCode.FAULT,
];

/** Judges walks on one timeline. */
export class Evaluator {
  private readonly experiment: Experiment;
  private readonly scratch = new WalkResult();

  constructor(readonly line: Timeline) {
    this.experiment = line.experiment;
  }

  /** Whether a walk can be asked for here. */
  isPossible(asker: Asker): boolean {
    if (asker === 'direct') return this.experiment.isAtRequest;
    return !this.line.isAtEnd && (this.experiment.possibleKinds() & (1 << asker)) !== 0;
  }

  /**
   * Ask for a walk here, and use the request while it lasts. The state is restored afterwards.
   * @param stepped whether to execute the exception's code instruction by instruction: its return
   * addresses are then always signed, as on real hardware, and not only when the driver learns a
   * path
   */
  atRequest<T>(asker: Asker, use: (request: WalkRequest) => T, stepped = true): Result<T, NoWalk> {
    const { driver } = this.line.parts;
    driver.alwaysStepped = stepped;
    const result = this.line.undisturbed(() => this.ask(asker, use));
    driver.alwaysStepped = false;
    return result;
  }

  /** Judge one walk. */
  evaluate(asker: Asker, policy: Policy, mode: WalkMode = 'reliable'): Result<Evaluation, NoWalk> {
    return this.atRequest(asker, ({ judge, truth }) => {
      const walk = new WalkResult();
      const verdict = judge(policy, mode, walk);
      const addresses = [...truth.addresses.subarray(0, truth.count)];
      return { verdict, walk, truth: addresses };
    });
  }

  /** Verdicts of several policies; undefined when no walk is possible here. */
  verdicts(
    asker: Asker,
    policies: readonly Policy[],
    mode: WalkMode,
  ): readonly number[] | undefined {
    const judged = this.atRequest(
      asker,
      ({ judge }) => policies.map((policy) => judge(policy, mode, this.scratch)),
      false,
    );
    return judged.ok ? judged.value : undefined;
  }

  /**
   * A stop test for the next or previous position whose walk has one of some verdicts. As in a
   * sweep, memory is not restored between positions. The timeline knows that, and cleans up when it
   * stops.
   * @param verdicts default {@link UNSAFE_VERDICTS}
   */
  verdictTest(
    asker: Asker,
    policy: Policy,
    mode: WalkMode = 'reliable',
    verdicts: readonly number[] = UNSAFE_VERDICTS,
  ): () => boolean {
    return () => {
      if (!this.isPossible(asker)) return false;
      this.line.taint();
      const judged = this.ask(asker, ({ judge }) => judge(policy, mode, this.scratch));
      // Stop if the handler did not return: memory is then unfit to go on with.
      return !judged.ok || verdicts.includes(judged.value);
    };
  }

  private ask<T>(asker: Asker, use: (request: WalkRequest) => T): Result<T, NoWalk> {
    if (!this.isPossible(asker)) {
      return fail({ kind: 'impossible', message: 'no walk is possible here' });
    }
    return asker === 'direct' ? this.askDirectly(use) : this.askByException(asker, use);
  }

  private askDirectly<T>(use: (request: WalkRequest) => T): Result<T, NoWalk> {
    const { line, experiment } = this;
    // A step reads only the general registers, but a request is shown with all of them.
    line.registers();
    if (!experiment.enterRequest()) return this.problem(UNKNOWN_TASK);
    return ok(use(this.request(false)));
  }

  private askByException<T>(kind: number, use: (request: WalkRequest) => T): Result<T, NoWalk> {
    const { experiment } = this;
    experiment.interrupt();
    const entered = experiment.enter(kind);
    if (entered !== DriverStatus.DONE) return this.problem(entered);
    const result = use(this.request(true));
    const left = experiment.leave();
    return left === DriverStatus.DONE ? ok(result) : this.problem(left);
  }

  private problem(status: number): Result<never, NoWalk> {
    return fail({ kind: 'problem', message: this.experiment.explain(status).detail });
  }

  /** @param inHandler whether a handler that the driver runs asks: only there can code be called */
  private request(inHandler: boolean): WalkRequest {
    const { experiment } = this;
    const { request: registers, task, truth } = experiment;
    const { model, kernelUnwinder, machine } = experiment.parts;
    const kernel = inHandler && machine.kernel.unbooted !== undefined ? kernelUnwinder : undefined;
    return {
      registers,
      task,
      truth,
      judge: (policy, mode, out) => experiment.ask(model, policy, mode, out),
      judgeKernel: (policy, mode, out) => {
        if (kernel?.supports(policy) !== true) return undefined;
        kernel.prepare(registers);
        const verdict = experiment.ask(kernel, policy, mode, out);
        kernel.findOrigin(out);
        kernel.finish();
        return verdict;
      },
    };
  }
}
