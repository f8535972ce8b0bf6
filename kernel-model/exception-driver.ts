/**
 * Takes one exception at an interrupted instruction and returns from it. The vector, the entry code
 * and the handler run on the emulated CPU up to the walk request. After the walk, the exit code
 * runs to its ERET, which is executed and checked. The interrupted CPU itself (the stepper) is not
 * touched, so the sweep cannot disturb its exclusive monitor or SIMD registers.
 */
import type { Address } from '../base/address.js';
import { RegisterSet } from '../emulator/engine.js';
import { completeExceptionReturn } from '../emulator/exceptions.js';
import { InstructionClass } from '../aarch64/instruction.js';
import { Pstate, Reg, RegisterFile } from '../emulator/registers.js';
import { StepStatus } from '../emulator/stepping-cpu.js';
import { Kind } from './exception-kind.js';
import { type ExceptionPath, ExceptionPaths } from './exception-path.js';
import { completeSdei, ExceptionSource } from './exception-source.js';
import { GroundTruth } from './ground-truth.js';
import { InterruptedState } from './interrupted-state.js';
import type { Machine } from './machine.js';
import { PtRegsCheck, SavedField } from './pt-regs-check.js';
import type { KernelStacks } from './stacks.js';
import { behindRequest } from './walk-stub.js';

/** How {@link ExceptionDriver.enter} or {@link ExceptionDriver.leave} ended. */
export const DriverStatus = {
  DONE: 0,
  /** The engine stopped with an error in entry, handler or exit code. */
  ENGINE_ERROR: 1,
  /** Something other than the walk request was reached first. */
  NO_REQUEST: 2,
  /** Execution did not reach a walk request or an ERET within the budget. */
  RUNAWAY: 3,
  /** SP or LR at the request differs from the learned path, or a relearned path differs. */
  PATH_CHANGED: 4,
  /** Something other than the ERET (or the hand-over to the firmware) was reached. */
  NO_RETURN: 5,
  /** A register differs after the return; see `difference`. */
  REGISTER_CHANGED: 6,
  /** A byte of the interrupted stack at or above SP differs. */
  STACK_CHANGED: 7,
  /** preempt_count or the priority mask differs. */
  KERNEL_STATE_CHANGED: 8,
} as const;

/** The most instructions that a learned entry or exit may take. */
const PATH_BUDGET = 50_000;

/** Drives exceptions into one machine. */
export class ExceptionDriver {
  /** Take every exception step by step, within a budget. Slow, but nothing can run away. */
  alwaysStepped = false;
  /** The registers at the walk request: PC, SP, x29, x30, and x0 the task to walk. */
  readonly request = new RegisterFile();
  /** The true calls since the vector. */
  path: ExceptionPath | undefined;
  /** After REGISTER_CHANGED: the register, in the order of `Reg`. */
  difference = -1;
  /** The registers after the return. */
  readonly returned = new RegisterFile();
  /** Interrupt controller and firmware. Tell it what the interrupted context is inside of. */
  readonly source: ExceptionSource;
  /**
   * The first WARN that was passed since {@link enter} began, or 0. A WARN's handler prints and
   * continues.
   */
  warnedAt: Address = 0;
  /** Where execution was when {@link enter} or {@link leave} failed. */
  stoppedAt: Address = 0;
  /** Looks at what entry code saves. */
  readonly ptRegs: PtRegsCheck;
  /**
   * After {@link enter} has come to a walk request: what is saved otherwise than the CPU had it; see
   * {@link PtRegsCheck.compare}.
   */
  savedWrong: number = SavedField.NONE;

  private readonly entry = new RegisterFile();
  private readonly exit = new RegisterFile();
  private readonly afterEret = new RegisterFile();
  /** What the CPU is, for the check of what entry code saves of it. */
  private readonly context = {
    kind: 0,
    interrupted: new RegisterFile(),
    sdeiLevel: 0,
    priorityMask: 0,
  };
  private poisonKey = 0;
  private readonly state: InterruptedState;
  private stepped = false;
  private readonly paths = new ExceptionPaths();
  /** The true calls of the path that is being learned. */
  private readonly pathTruth = new GroundTruth(0);

  constructor(
    private readonly machine: Machine,
    private readonly stacks: KernelStacks,
  ) {
    this.source = new ExceptionSource(machine);
    this.ptRegs = new PtRegsCheck(machine, stacks);
    this.state = new InterruptedState(machine, stacks, this.source);
  }

  /** Forget the learned paths. Needed after the machine was reset or its code changed. */
  reset(): void {
    this.paths.clear();
    this.source.reset();
  }

  /**
   * Announce the instruction that is about to be interrupted. Call this once per stop, before any
   * {@link enter}. The file must stay unchanged until the last {@link leave}.
   */
  interruptAt(interrupted: RegisterFile): void {
    this.context.interrupted = interrupted;
    this.poisonKey = this.ptRegs.keyOf(interrupted);
    this.state.keepStack(interrupted);
  }

  private get interrupted(): RegisterFile {
    return this.context.interrupted;
  }

  private get kind(): number {
    return this.context.kind;
  }

  /** The slot of the interrupted stack. */
  get stackSlot(): number {
    return this.state.stackSlot;
  }

  /** The mask state of the interrupted context: an index below MASK_STATES (exception-path.ts). */
  private maskState(): number {
    const pstate = this.interrupted.words[2 * Reg.PSTATE] as number;
    const masked = (pstate & Pstate.I) !== 0 ? 1 : 0;
    const { priorityMask, preemptCount } = this.state;
    const priority = ExceptionSource.isUnmasked(priorityMask) ? 0 : 2;
    const inNmi = (preemptCount & this.machine.kernel.offsets.nmiMask) !== 0 ? 4 : 0;
    return masked | priority | inNmi;
  }

  /** preempt_count of the interrupted task. */
  preemptCount(): number {
    return this.state.preemptCountOf(this.interrupted);
  }

  /** Take an exception and run to its walk request. Returns one of {@link DriverStatus}. */
  enter(kind: number): number {
    const { context, state } = this;
    state.keepCounts(this.interrupted);
    context.kind = kind;
    context.sdeiLevel = this.source.sdeiLevel;
    context.priorityMask = state.priorityMask;
    this.ptRegs.poison(context, this.poisonKey);
    const status = this.runToRequest(kind);
    const atRequest = status === DriverStatus.DONE || status === DriverStatus.PATH_CHANGED;
    this.savedWrong = atRequest ? this.ptRegs.compare(context) : SavedField.NONE;
    return status;
  }

  private runToRequest(kind: number): number {
    this.warnedAt = 0;
    this.entry.copyFrom(this.interrupted);
    this.source.deliver(kind, this.entry);
    // An SDEI event brings its own stack, whatever was interrupted.
    const stack = kind === Kind.SDEI ? this.source.sdeiLevel : this.stackSlot;
    const slot = ExceptionPaths.slot(kind, stack, this.maskState());
    this.path = this.alwaysStepped ? undefined : this.paths.use(slot);
    if (this.path === undefined) return this.enterStepped(slot);
    this.stepped = false;
    const { runner, kernel } = this.machine;
    runner.write(this.entry, RegisterSet.ALL);
    let status = runner.run(this.entry.get(Reg.PC));
    runner.read(this.request, RegisterSet.CALL);
    while (status === 0 && this.isWarning(this.request.get(Reg.PC) - 4)) {
      status = runner.run(this.request.get(Reg.PC));
      runner.read(this.request, RegisterSet.CALL);
    }
    this.request.words[2 * Reg.SP_EL0] = this.entry.words[2 * Reg.SP_EL0] as number;
    this.request.words[2 * Reg.SP_EL0 + 1] = this.entry.words[2 * Reg.SP_EL0 + 1] as number;
    // The PC of a free run that has stopped is after the instruction it stopped for.
    this.stoppedAt = this.request.get(Reg.PC) - 4;
    if (status !== 0) return DriverStatus.ENGINE_ERROR;
    if (this.stoppedAt !== kernel.roles.walkRequest) return DriverStatus.NO_REQUEST;
    return this.onPath(this.path) ? DriverStatus.DONE : DriverStatus.PATH_CHANGED;
  }

  private onPath(path: ExceptionPath): boolean {
    if (this.request.get(Reg.X30) !== path.addresses[0]) return false;
    const sp = this.request.get(Reg.SP);
    return Number.isNaN(path.spAbsolute)
      ? sp - this.interrupted.get(Reg.SP) === path.spDelta
      : sp === path.spAbsolute;
  }

  /** Take the exception on the returner, instruction by instruction, and learn its path. */
  private enterStepped(slot: number): number {
    this.stepped = true;
    const cpu = this.machine.returner;
    const truth = this.pathTruth;
    truth.restart(this.interrupted.get(Reg.SP_EL0));
    cpu.registers.copyFrom(this.entry);
    cpu.writeBack();
    const target = this.machine.kernel.roles.walkRequest;
    let instructions = 0;
    while (cpu.pc !== target) {
      if (instructions++ === PATH_BUDGET) return DriverStatus.RUNAWAY;
      const pc = cpu.pc;
      this.stoppedAt = pc;
      const status = cpu.step();
      if (status === StepStatus.EXCEPTION) {
        if (!this.isWarning(pc)) return DriverStatus.NO_REQUEST;
        cpu.registers.set(Reg.PC, pc + 4);
        cpu.writeBack();
        continue;
      }
      if (status !== StepStatus.DONE) return DriverStatus.ENGINE_ERROR;
      if (cpu.instructionClass === InstructionClass.ERET) return DriverStatus.NO_REQUEST;
      truth.executed(cpu.instructionClass, cpu.instructionWord, pc, cpu.registers);
    }
    this.request.copyFrom(cpu.registers);
    const { addresses, depth } = truth.current;
    const sp = cpu.registers.get(Reg.SP);
    const sameStack = this.kind !== Kind.SDEI && this.stacks.slotOf(sp) === this.stackSlot;
    this.path = {
      addresses: addresses.slice(0, depth).reverse(),
      instructions,
      spDelta: sameStack ? sp - this.interrupted.get(Reg.SP) : 0,
      spAbsolute: sameStack ? NaN : sp,
    };
    return this.paths.learn(slot, this.path) ? DriverStatus.DONE : DriverStatus.PATH_CHANGED;
  }

  /**
   * Read all registers at the walk request.
   * @param into filled
   * @returns true when the returner stopped there, step by step; false when the runner did
   */
  requestRegisters(into: RegisterFile): boolean {
    into.copyFrom(this.request);
    if (!this.stepped) this.machine.runner.read(into, RegisterSet.GENERAL);
    return this.stepped;
  }

  /**
   * Answer the walk request and run back to the interrupted instruction. Returns one of {@link
   * DriverStatus}.
   */
  leave(): number {
    const status = this.stepped ? this.leaveStepped() : this.leaveRunning();
    if (status !== DriverStatus.DONE) return status;
    const compared = this.kind === Kind.SDEI ? this.resumeByFirmware() : this.checkReturn();
    return compared === DriverStatus.DONE ? memoryStatus(this.state, this.interrupted) : compared;
  }

  private leaveRunning(): number {
    const { runner, kernel } = this.machine;
    let status = runner.run(behindRequest(this.machine.memory, this.request.get(Reg.X30)));
    runner.read(this.exit, RegisterSet.ALL);
    while (status === 0 && this.isWarning(this.exit.get(Reg.PC) - 4)) {
      status = runner.run(this.exit.get(Reg.PC));
      runner.read(this.exit, RegisterSet.ALL);
    }
    const stop = this.exit.get(Reg.PC) - 4;
    this.stoppedAt = stop;
    if (status !== 0) return DriverStatus.ENGINE_ERROR;
    if (this.kind === Kind.SDEI) {
      return stop === kernel.roles.sdeiComplete ? DriverStatus.DONE : DriverStatus.NO_RETURN;
    }
    if (stop === kernel.roles.walkRequest || stop === kernel.roles.sdeiComplete) {
      return DriverStatus.NO_RETURN;
    }
    // The stop replaces an ERET: execute that very instruction on the returner.
    this.exit.set(Reg.PC, stop);
    const { engine } = this.machine.returner;
    engine.write(this.exit, RegisterSet.EXCEPTION_RETURN);
    if (engine.step(stop) !== 0) return DriverStatus.ENGINE_ERROR;
    engine.read(this.afterEret, RegisterSet.EXCEPTION_RETURN);
    if (!completeExceptionReturn(this.afterEret)) return DriverStatus.NO_RETURN;
    this.returned.copyFrom(this.exit);
    this.copyRegister(Reg.PC);
    this.copyRegister(Reg.PSTATE);
    return DriverStatus.DONE;
  }

  private copyRegister(index: number): void {
    this.returned.words[2 * index] = this.afterEret.words[2 * index] as number;
    this.returned.words[2 * index + 1] = this.afterEret.words[2 * index + 1] as number;
  }

  private leaveStepped(): number {
    const cpu = this.machine.returner;
    cpu.registers.set(Reg.PC, this.request.get(Reg.X30));
    cpu.engine.write(cpu.registers, RegisterSet.GENERAL);
    for (let i = 0; i < PATH_BUDGET; i++) {
      if (this.kind === Kind.SDEI && cpu.pc === this.machine.kernel.roles.sdeiComplete) {
        this.exit.copyFrom(cpu.registers);
        return DriverStatus.DONE;
      }
      this.stoppedAt = cpu.pc;
      const status = cpu.step();
      if (status === StepStatus.EXCEPTION) {
        if (!this.isWarning(this.stoppedAt)) return DriverStatus.NO_RETURN;
        cpu.registers.set(Reg.PC, this.stoppedAt + 4);
        cpu.writeBack();
        continue;
      }
      if (status !== StepStatus.DONE) return DriverStatus.ENGINE_ERROR;
      if (cpu.instructionClass === InstructionClass.ERET) {
        this.returned.copyFrom(cpu.registers);
        return this.kind === Kind.SDEI ? DriverStatus.NO_RETURN : DriverStatus.DONE;
      }
    }
    return DriverStatus.RUNAWAY;
  }

  /** Whether a stop is a WARN of a real kernel. Remembers the first one. */
  private isWarning(pc: Address): boolean {
    if (this.machine.kernel.bugTable?.at(pc)?.warning !== true) return false;
    if (this.warnedAt === 0) this.warnedAt = pc;
    return true;
  }

  private resumeByFirmware(): number {
    this.returned.copyFrom(this.exit);
    completeSdei(this.returned, this.interrupted);
    return this.checkReturn();
  }

  private checkReturn(): number {
    this.difference = this.returned.firstDifference(this.interrupted);
    return this.difference < 0 ? DriverStatus.DONE : DriverStatus.REGISTER_CHANGED;
  }
}

/**
 * Checks that an exception has left everything but the registers as it was. Returns one of {@link
 * DriverStatus}.
 */
export function memoryStatus(state: InterruptedState, interrupted: RegisterFile): number {
  if (!state.isStackSame()) return DriverStatus.STACK_CHANGED;
  return state.areCountsSame(interrupted) ? DriverStatus.DONE : DriverStatus.KERNEL_STATE_CHANGED;
}
