/**
 * One stop on one machine: a scenario is set up and stepped to an instruction, an exception is taken
 * there, the walk that its handler asks for is made by an unwinder and judged, and the exception
 * returns. Sweeps, the debugger, the stacktrace tests and doctor all ask for walks here.
 *
 * Truth and unwinders meet in {@link Experiment.judge} only: neither has a part in the other's answer.
 */
import type { Address } from '../base/address.js';
import { Reg, type RegisterFile } from '../emulator/registers.js';
import { DriverStatus } from '../kernel-model/exception-driver.js';
import type { GroundTruth } from '../kernel-model/ground-truth.js';
import { InterruptibleCpu } from '../kernel-model/interruptible-cpu.js';
import { ScenarioCpu } from '../kernel-model/scenario-cpu.js';
import type { Scenario } from '../scenarios/scenario.js';
import type { WalkMode } from '../unwinder/kunwind.js';
import type { Policy } from '../unwinder/policy.js';
import type { WalkResult } from '../unwinder/walk-result.js';
import { TruthList } from './judge.js';
import type { LabParts } from './lab-parts.js';
import { pushPending, truthAtRequest } from './point-truth.js';
import {
  explainDriverStatus,
  explainKernelStop,
  explainMissing,
  explainRefusal,
  type Explanation,
} from './problem.js';
import { type SetupError, setUpScenario } from './scenario-setup.js';
import type { StackWalker } from './stack-walker.js';

/** EINVAL: what arch_stack_walk_reliable() fails with, and register_kprobe() where it refuses. */
export const EINVAL = 22;

/** Beside the values of `DriverStatus`: the handler asks for the walk of a task that is not known. */
export const UNKNOWN_TASK = -1;

/** A machine that executes a scenario, and is asked for walks on the way. */
export class Experiment {
  /** Executes the scenario. Exceptions are taken before the instruction that it executes next. */
  readonly cpu: InterruptibleCpu;
  /** At a walk request: what a complete trace lists, innermost first. */
  readonly truth = new TruthList();
  /** At a walk request: the task that is to be walked. */
  task: Address = 0;
  /** At a walk request: the registers, of which x0 is the task, x29 and x30 those of the caller. */
  request: RegisterFile;
  /** The task that the scenario's handlers walk instead of the current one, or 0. */
  private walkedTask: Address = 0;

  constructor(readonly parts: LabParts) {
    const { machine, stacks, driver } = parts;
    const scenario = new ScenarioCpu(machine, stacks);
    this.cpu = new InterruptibleCpu(machine, scenario, driver.source);
    this.request = driver.request;
  }

  /** Truth about the calls that are pending. */
  get groundTruth(): GroundTruth {
    return this.cpu.scenario.truth;
  }

  /**
   * Set a scenario up, and stand before its thread's first instruction.
   * @param stackShift bytes by which the thread's stack begins lower, a multiple of 16; its final
   * record stays where it is
   * @returns the address of its entry function
   */
  setUp(scenario: Scenario, stackShift = 0): Address | SetupError {
    const entry = setUpScenario(this.parts.machine, scenario);
    if (typeof entry === 'number') this.begin(stackShift);
    return entry;
  }

  /** Forget what was executed before: the machine has been set up anew. See {@link setUp}. */
  begin(stackShift = 0): void {
    const { machine, driver } = this.parts;
    const { stepper, memory, kernel } = machine;
    driver.reset();
    this.cpu.reset();
    this.walkedTask = memory.readAddress(kernel.roles.walkTask) ?? 0;
    if (stackShift === 0) return;
    stepper.registers.set(Reg.SP, stepper.registers.get(Reg.SP) - stackShift);
    stepper.writeBack();
  }

  /** Why {@link cpu} could not make a step. A real kernel's own breakpoint says more than the engine. */
  explainStep(): Explanation {
    const { machine } = this.parts;
    const { problem } = this.cpu.scenario;
    return (
      explainKernelStop(machine.kernel, machine.stepper.pc) ??
      explainMissing(machine) ??
      explainRefusal(machine, problem) ?? { kind: 'scenario', detail: problem }
    );
  }

  /** Whether the scenario itself asks for a walk by the next instruction. */
  get isAtRequest(): boolean {
    return this.parts.machine.stepper.pc === this.parts.machine.kernel.roles.walkRequest;
  }

  /**
   * Kinds of exceptions that ask for a walk before the next instruction, as bits: the hardware could
   * deliver them, and the task that handlers walk has run.
   */
  possibleKinds(): number {
    const { walkedTask } = this;
    if (walkedTask !== 0 && !this.groundTruth.hasRun(walkedTask)) return 0;
    return this.parts.driver.source.possible(this.parts.machine.stepper.registers);
  }

  /** The next instruction is to be interrupted: once for it, before any {@link enter}. */
  interrupt(): void {
    this.parts.driver.interruptAt(this.parts.machine.stepper.registers);
  }

  /**
   * Take an exception on the other engines, up to the walk request of its handler.
   * @param kind index in `KIND_NAMES`; it must be possible
   * @returns a `DriverStatus` or {@link UNKNOWN_TASK}; see {@link explain}
   */
  enter(kind: number): number {
    const { driver, model, machine } = this.parts;
    const entered = driver.enter(kind);
    if (entered !== DriverStatus.DONE) return entered;
    const task = model.prepare(driver.request);
    if (task === undefined) return UNKNOWN_TASK;
    this.task = task;
    this.request = driver.request;
    truthAtRequest(this.truth, this.groundTruth, driver, machine.stepper.pc, task);
    return DriverStatus.DONE;
  }

  /** Return from the exception. @returns a `DriverStatus`; see {@link explain} */
  leave(): number {
    return this.parts.driver.leave();
  }

  /** What a status other than DONE of {@link enter} or {@link leave} means. */
  explain(status: number): Explanation {
    if (status === UNKNOWN_TASK) {
      const detail = 'the handler asks for a task that is not known';
      return { kind: 'no-request', detail };
    }
    const { driver, machine } = this.parts;
    // Only these two stop in front of an instruction, which may be a breakpoint that says why.
    const stopped = status === DriverStatus.NO_REQUEST || status === DriverStatus.NO_RETURN;
    const stop = stopped ? explainKernelStop(machine.kernel, driver.stoppedAt) : undefined;
    return stop ?? explainDriverStatus(status, driver.difference);
  }

  /**
   * Have the walk made that the scenario itself asks for: {@link isAtRequest}.
   * @returns false when it asks for a task that is not known
   */
  enterRequest(): boolean {
    const { model, machine } = this.parts;
    const task = model.prepare(machine.stepper.registers);
    if (task === undefined) return false;
    this.task = task;
    this.request = machine.stepper.registers;
    this.truth.clear();
    pushPending(this.truth, this.groundTruth.ofTask(task));
    return true;
  }

  /**
   * Leave the answer to the scenario's own walk request for the guest, as arch_stack_walk_reliable()
   * would return it.
   * @returns 0 or -EINVAL
   */
  answerRequest(walk: WalkResult): number {
    const { kernel, memory } = this.parts.machine;
    const error = walk.status === 0 ? 0 : -EINVAL;
    const result = kernel.symbol('walk_result');
    if (result !== undefined) memory.writeWord(result, error >>> 0);
    return error;
  }

  /**
   * At a walk request: have one unwinder walk, and judge its answer.
   * @param walker the model, or the kernel's own after its `prepare`
   * @returns a `VerdictCode`
   */
  ask(walker: StackWalker, policy: Policy, mode: WalkMode, out: WalkResult): number {
    walker.walk(policy, mode, out);
    return this.judge(mode, out);
  }

  /** At a walk request: judge an answer. @returns a `VerdictCode` */
  judge(mode: WalkMode, walk: WalkResult): number {
    const { judge } = this.parts;
    return mode === 'reliable'
      ? judge.judgeReliable(walk, this.truth)
      : judge.judgeBestEffort(walk, this.truth);
  }
}
