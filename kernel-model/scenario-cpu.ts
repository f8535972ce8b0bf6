/**
 * The CPU that executes a scenario: steps the machine's stepper, records ground truth, takes the
 * scenario's own breakpoints (kprobes, their single steps, kretprobes) to the guest's vector, and
 * follows context switches.
 */
import type { Address } from '../base/address.js';
import { ExceptionClass, syndrome, VectorOffset } from '../emulator/exceptions.js';
import { classify, exceptionImmediate, InstructionClass } from '../aarch64/instruction.js';
import { Reg } from '../emulator/registers.js';
import { StepStatus } from '../emulator/stepping-cpu.js';
import { GroundTruth, type TruthState } from './ground-truth.js';
import { PT_REGS_SIZE } from './kernel-image.js';
import { Kind } from './exception-kind.js';
import { SteppedContexts } from './stepped-contexts.js';
import { isProbeBreakpoint } from './tracers/kprobe-rules.js';
import type { Machine } from './machine.js';
import { type GuestStack, type KernelStacks, StackSlot } from './stacks.js';

/** The most nested breakpoints of a guest; more is a runaway. */
const MAX_NESTED = 64;

/** A copy of the state that a {@link ScenarioCpu} keeps besides the machine. */
export interface ScenarioCpuState {
  readonly truth: TruthState;
  readonly depths: readonly number[];
  readonly addresses: readonly Address[];
}

/** Steps one scenario. */
export class ScenarioCpu {
  /** The truth about the scenario's calls. {@link reset} replaces it. */
  truth: GroundTruth;
  /** Why the last {@link step} failed, in one line. */
  problem = '';
  /** Address of the WARN that the last {@link step} passed, or 0. */
  warnedAt: Address = 0;
  /** What the CPU was at each exception that is being handled. */
  readonly contexts: SteppedContexts;
  /** The task whose stack {@link KernelStacks} has as the task stack. */
  private stackTask: Address;
  /**
   * For each breakpoint being handled: the entries of the shadow stack, with its own, and its
   * address.
   */
  private readonly depths: number[] = [];
  private readonly addresses: Address[] = [];

  constructor(
    private readonly machine: Machine,
    private readonly stacks: KernelStacks,
  ) {
    this.stackTask = machine.kernel.roles.initTask;
    this.contexts = new SteppedContexts(machine, stacks);
    this.truth = this.newTruth();
  }

  /** Start over, after the machine was set up anew. */
  reset(): void {
    this.truth = this.newTruth();
    // An earlier run on this machine may have ended while another task was current.
    this.stackTask = this.machine.kernel.roles.initTask;
    this.stacks.switchTo(this.stackTask);
    this.depths.length = 0;
    this.addresses.length = 0;
    this.contexts.reset();
  }

  /** A copy of what is kept besides the machine's own registers and memory. */
  save(): ScenarioCpuState {
    return {
      truth: this.truth.save(),
      depths: this.depths.slice(),
      addresses: this.addresses.slice(),
    };
  }

  /** Restore what {@link save} returned. The caller restores the machine. */
  restore(state: ScenarioCpuState): void {
    this.truth.restore(state.truth);
    this.depths.splice(0, Infinity, ...state.depths);
    this.addresses.splice(0, Infinity, ...state.addresses);
    this.stackTask = this.truth.currentTask;
    this.stacks.switchTo(this.stackTask);
    // A position that is gone back to is compared no more: memory was seen there on the way.
    this.contexts.reset();
    this.problem = '';
  }

  private newTruth(): GroundTruth {
    const { initTask, retFromFork } = this.machine.kernel.roles;
    return new GroundTruth(initTask, retFromFork);
  }

  /** Whether a breakpoint of the scenario is being handled. Kprobes are not taken there. */
  get inBreakpoint(): boolean {
    return this.depths.length > 0;
  }

  /**
   * Execute one instruction, or take the breakpoint that it is.
   * @returns false on failure; {@link problem} says why
   */
  step(): boolean {
    const cpu = this.machine.stepper;
    const { pc } = cpu;
    this.warnedAt = 0;
    const status = cpu.step();
    if (status !== StepStatus.DONE) {
      if (status === StepStatus.EXCEPTION && cpu.instructionClass === InstructionClass.BRK) {
        return this.takeBreakpoint(pc, cpu.instructionWord);
      }
      this.problem = cpu.describe(status);
      return false;
    }
    this.truth.executed(cpu.instructionClass, cpu.instructionWord, pc, cpu.registers);
    if (this.truth.current.overflowed) {
      this.problem = 'more calls are pending than ground truth can hold';
      return false;
    }
    if (this.depths.length > 0) this.leaveBreakpoints();
    if (this.truth.currentTask !== this.stackTask) this.followTask();
    if (this.contexts.pending > 0) this.contexts.stepped(cpu.pc, this.truth);
    return true;
  }

  private takeBreakpoint(pc: Address, word: number): boolean {
    const { stepper, kernel } = this.machine;
    if (kernel.unbooted !== undefined && !isProbeBreakpoint(word)) {
      if (kernel.bugTable?.at(pc)?.warning === true) return this.passWarning(pc);
      this.problem = stepper.describe(StepStatus.EXCEPTION);
      return false;
    }
    if (this.depths.length === MAX_NESTED) {
      this.problem = `${MAX_NESTED} nested breakpoints`;
      return false;
    }
    const sp = stepper.registers.get(Reg.SP);
    this.fillBelow(sp);
    this.contexts.taking(Kind.BRK, stepper.registers, this.truth, 0, word);
    const esr = syndrome(ExceptionClass.BRK64, exceptionImmediate(word));
    stepper.takeException(kernel.roles.vectors, VectorOffset.SYNC, esr);
    this.truth.exceptionTaken(pc, sp);
    this.depths.push(this.truth.current.depth);
    this.addresses.push(pc);
    return true;
  }

  /** Pass a WARN of a real kernel: its handler would print, and continue after the breakpoint. */
  private passWarning(pc: Address): boolean {
    const { stepper } = this.machine;
    this.warnedAt = pc;
    stepper.registers.set(Reg.PC, pc + 4);
    stepper.writeBack();
    return true;
  }

  /**
   * Notice when a breakpoint's ERET was executed. A call that the breakpoint simulated is then part
   * of the truth.
   */
  private leaveBreakpoints(): void {
    const { current } = this.truth;
    const last = this.depths.length - 1;
    if (this.machine.stepper.instructionClass !== InstructionClass.ERET) return;
    if (current.depth >= (this.depths[last] as number)) return;
    const address = this.addresses[last] as Address;
    this.depths.length = last;
    this.addresses.length = last;
    const probed = this.machine.breakpoints.get(address);
    if (probed === undefined) return;
    const kind = classify(probed);
    if (kind === InstructionClass.BL || kind === InstructionClass.BLR) {
      this.truth.callSimulated(address, this.machine.stepper.registers.get(Reg.SP));
    }
  }

  private followTask(): void {
    const { registers } = this.machine.stepper;
    this.stackTask = this.truth.currentTask;
    registers.set(Reg.SP_EL0, this.stackTask);
    this.stacks.switchTo(this.stackTask);
  }

  /**
   * Fill the memory below SP, where the vector will build pt_regs, with the same plausible contents
   * at every exception: as if an earlier interrupt had left the PC of a leaf function that is no
   * longer live. A walk that reads a slot before it is stored then shows.
   */
  fillBelow(sp: Address): void {
    const { stacks, machine } = this;
    const slot = stacks.slotOf(sp);
    if (slot === StackSlot.NONE) return;
    const { low } = stacks.all[slot] as GuestStack;
    const neverLive = machine.kernel.roles.threadDone + 4;
    for (let at = Math.max(low, sp - PT_REGS_SIZE); at < sp; at += 8) {
      machine.memory.writeAddress(at, neverLive);
    }
  }
}
