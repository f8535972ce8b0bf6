/**
 * One stop on one machine. A scenario is set up and stepped to an instruction, where an exception is
 * taken. Its handler asks for a walk, which an unwinder makes and which is judged. Then the exception
 * returns. Sweeps, the debugger, the stacktrace suite and doctor all do this here.
 *
 * Truth and unwinders meet only in {@link Experiment.judge}, so that neither can influence the other.
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

/** EINVAL, with which arch_stack_walk_reliable() fails, and register_kprobe() where it refuses. */
export const EINVAL = 22;

/** A status beside those of `DriverStatus`: the handler asks for the walk of an unknown task. */
export const UNKNOWN_TASK = -1;

/** A machine that executes a scenario and can be stopped for walks. */
export class Experiment {
  /** Executes the scenario. Exceptions are taken before its next instruction. */
  readonly cpu: InterruptibleCpu;
  /** At a walk request: what a complete trace lists, innermost first. */
  readonly truth = new TruthList();
  /** At a walk request: the task that is to be walked. */
  task: Address = 0;
  /** At a walk request: the registers. x0 is the task; x29 and x30 are those of the caller. */
  request: RegisterFile;
  /** The task that the scenario's handlers walk instead of the current one, or 0. */
  private walkedTask: Address = 0;

  constructor(readonly parts: LabParts) {
    const { machine, stacks, driver } = parts;
    const scenario = new ScenarioCpu(machine, stacks);
    this.cpu = new InterruptibleCpu(machine, scenario, driver.source);
    this.request = driver.request;
  }

  /** The truth about pending calls. */
  get groundTruth(): GroundTruth {
    return this.cpu.scenario.truth;
  }

  /**
   * Set a scenario up, and stop before its thread's first instruction.
   * @param stackShift bytes by which the thread's initial SP is lowered, a multiple of 16; the final
   * record stays in place
   * @returns the address of the scenario's entry function, or an error
   */
  setUp(scenario: Scenario, stackShift = 0): Address | SetupError {
    const entry = setUpScenario(this.parts.machine, scenario);
    if (typeof entry === 'number') this.begin(stackShift);
    return entry;
  }

  /** Start over after the machine has been set up again. @param stackShift as in {@link setUp} */
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

  /** Why {@link cpu} could not make a step. If a real kernel's own breakpoint stopped it, that says more. */
  explainStep(): Explanation {
    const { machine } = this.parts;
    const { problem } = this.cpu.scenario;
    return (
      explainKernelStop(machine.kernel, machine.stepper.pc) ??
      explainMissing(machine) ??
      explainRefusal(machine, problem) ?? { kind: 'scenario', detail: problem }
    );
  }

  /** Whether the scenario itself asks for a walk at the next instruction. */
  get isAtRequest(): boolean {
    return this.parts.machine.stepper.pc === this.parts.machine.kernel.roles.walkRequest;
  }

  /**
   * The kinds of exceptions that can be taken before the next instruction, as bits. None can while the
   * task that the handlers walk has not run.
   */
  possibleKinds(): number {
    const { walkedTask } = this;
    if (walkedTask !== 0 && !this.groundTruth.hasRun(walkedTask)) return 0;
    return this.parts.driver.source.possible(this.parts.machine.stepper.registers);
  }

  /**
   * What becomes of a breakpoint before the next instruction, where {@link possibleKinds} has none
   * because the kernel is busy with another kprobe: an index into `BUSY_KPROBE_REASONS`, or `NOT_BUSY`.
   */
  busyKprobe(): number {
    return this.parts.driver.source.busyKprobe(this.parts.machine.stepper.registers);
  }

  /** Prepare to interrupt the next instruction. To be called once, before any {@link enter} there. */
  interrupt(): void {
    this.parts.driver.interruptAt(this.parts.machine.stepper.registers);
  }

  /**
   * Take an exception, up to the walk request of its handler. The scenario's own engine is not used.
   * @param kind index in `KIND_NAMES`, one of {@link possibleKinds}
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

  /** The meaning of a status of {@link enter} or {@link leave} other than DONE. */
  explain(status: number): Explanation {
    if (status === UNKNOWN_TASK) {
      const detail = 'the handler asks for the walk of an unknown task';
      return { kind: 'no-request', detail };
    }
    const { driver, machine } = this.parts;
    // Only these two stop at an instruction, which may be a breakpoint that tells why.
    const stopped = status === DriverStatus.NO_REQUEST || status === DriverStatus.NO_RETURN;
    const stop = stopped ? explainKernelStop(machine.kernel, driver.stoppedAt) : undefined;
    return stop ?? explainDriverStatus(status, driver.difference);
  }

  /**
   * Prepare the walk that the scenario itself asks for; see {@link isAtRequest}.
   * @returns false when it asks for an unknown task
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
   * Store the answer to the scenario's own walk request where the guest reads it.
   * @returns 0 or -EINVAL, as arch_stack_walk_reliable() would
   */
  answerRequest(walk: WalkResult): number {
    const { kernel, memory } = this.parts.machine;
    const error = walk.status === 0 ? 0 : -EINVAL;
    const result = kernel.symbol('walk_result');
    if (result !== undefined) memory.writeWord(result, error >>> 0);
    return error;
  }

  /**
   * At a walk request: let an unwinder walk, and judge its answer.
   * @param walker the model, or the kernel's unwinder after its `prepare`
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
