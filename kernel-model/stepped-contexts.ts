/**
 * The exceptions that the stepper has taken and that have not returned: those of depth 2, and the
 * scenario's own breakpoints. At the first walk request of each, what entry code has saved is compared with
 * what the CPU was. At a later one a handler may have changed it.
 */
import type { Address } from '../base/address.js';
import { exceptionImmediate } from '../aarch64/instruction.js';
import { Reg, RegisterFile } from '../emulator/registers.js';
import { Kind } from './exception-kind.js';
import type { GroundTruth } from './ground-truth.js';
import type { Machine } from './machine.js';
import { PtRegsCheck, SavedField, type TakenContext } from './pt-regs-check.js';
import type { KernelStacks } from './stacks.js';
import { ProbeBrk } from './tracers/kprobe-rules.js';
import { WordView } from './word-view.js';

/** One exception. Reused for others. */
interface SteppedContext extends TakenContext {
  kind: number;
  sdeiLevel: number;
  priorityMask: number;
  /** Entries of its task's shadow stack, with its own. */
  depth: number;
  task: Address;
  /** Of the BRK that it was taken for; -1 for another exception. */
  immediate: number;
  compared: boolean;
}

/** Keeps what the stepper's CPU was at each exception. */
export class SteppedContexts {
  /** Looks at what entry code saves. */
  readonly ptRegs: PtRegsCheck;
  /** What the last {@link stepped} has found; see {@link PtRegsCheck.compare}. */
  wrong: number = SavedField.NONE;
  /** Of the exception that {@link wrong} is about. */
  wrongKind: number = Kind.BRK;
  private readonly contexts: SteppedContext[] = [];
  private count = 0;
  private readonly pmr: WordView;

  constructor(
    private readonly machine: Machine,
    stacks: KernelStacks,
  ) {
    this.ptRegs = new PtRegsCheck(machine, stacks);
    this.pmr = new WordView(machine, machine.kernel.roles.gicPmr);
  }

  /** Number of exceptions that are being handled. */
  get pending(): number {
    return this.count;
  }

  /** Forget all of them. */
  reset(): void {
    this.count = 0;
    this.wrong = SavedField.NONE;
  }

  /**
   * An exception is about to be taken.
   * @param registers of the CPU; its task's shadow stack does not have the exception yet
   * @param word the BRK at the PC; absent for an exception that is not one of the code's own
   */
  taking(
    kind: number,
    registers: RegisterFile,
    truth: GroundTruth,
    sdeiLevel: number,
    word?: number,
  ): void {
    const context = (this.contexts[this.count] ??= newContext());
    this.count++;
    context.kind = kind;
    context.interrupted.copyFrom(registers);
    context.sdeiLevel = sdeiLevel;
    context.priorityMask = this.pmr.get();
    context.depth = truth.current.depth + 1;
    context.task = truth.currentTask;
    context.immediate = word === undefined ? -1 : exceptionImmediate(word);
    context.compared = false;
    // Below the interrupted SP, ScenarioCpu.fillBelow() has filled what a vector stores to.
    if (kind === Kind.SDEI) this.ptRegs.poison(context, this.ptRegs.keyOf(registers));
  }

  /** An instruction was executed while exceptions are being handled. @param pc of the next one */
  stepped(pc: Address, truth: GroundTruth): void {
    this.wrong = SavedField.NONE;
    let context = this.contexts[this.count - 1];
    while (context !== undefined && this.count > 0 && hasReturned(context, truth)) {
      context = this.contexts[--this.count - 1];
    }
    if (context === undefined || this.count === 0 || pc !== this.machine.kernel.roles.walkRequest) {
      return;
    }
    if (context.compared || context.task !== truth.currentTask) return;
    context.compared = true;
    this.wrong = this.ptRegs.compare(context, this.changedByHandler(context));
    this.wrongKind = context.kind;
  }

  /**
   * What the handlers of a scenario's own breakpoint have changed by the first walk request. A kretprobe's
   * handler at the entry of a function has replaced x30 by its trampoline. At the trampoline the PC is
   * set to the real return address first of all.
   */
  private changedByHandler(context: SteppedContext): number {
    if (context.immediate === ProbeBrk.KRETPROBE) return Reg.PC;
    if (context.immediate !== ProbeBrk.KPROBE) return SavedField.NONE;
    const saved = this.ptRegs.savedRegister(context, Reg.X30);
    const { kretprobeTrampolines } = this.machine.kernel;
    return kretprobeTrampolines.some(({ start }) => start === saved) ? Reg.X30 : SavedField.NONE;
  }
}

function newContext(): SteppedContext {
  return {
    kind: 0,
    interrupted: new RegisterFile(),
    sdeiLevel: 0,
    priorityMask: 0,
    depth: 0,
    task: 0,
    immediate: -1,
    compared: false,
  };
}

function hasReturned({ task, depth }: SteppedContext, truth: GroundTruth): boolean {
  return truth.ofTask(task).depth < depth;
}
