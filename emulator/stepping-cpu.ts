/**
 * A CPU that executes one instruction at a time, and does what the engine does not: authenticate
 * pointers, and stop before an instruction that would raise an exception. It takes exceptions and
 * returns from them as the architecture says.
 */
import { type Address, formatAddress } from '../base/address.js';
import { type Engine, RegisterSet } from './engine.js';
import { completeExceptionReturn, takeException } from './exceptions.js';
import type { GuestMemory, MemoryRegion } from './guest-memory.js';
import { classify, InstructionClass } from '../aarch64/instruction.js';
import { executePauthHint, executeReturnAuth, PauthOutcome } from './pointer-auth.js';
import { Reg, RegisterFile } from './registers.js';

/** How {@link SteppingCpu.step} ended. */
export const StepStatus = {
  /** The instruction was executed. */
  DONE: 0,
  /** BRK, SVC, HVC or SMC at the PC: not executed; the driver decides. */
  EXCEPTION: 1,
  /** An authentication failed: the register is poisoned, and execution may continue. */
  PAUTH_FAILED: 2,
  /**
   * The engine refused (fetch, load or store outside RAM, undefined instruction); see
   * `engineStatus`.
   */
  ENGINE_ERROR: 3,
  /** The PC is in no mapped region. */
  NO_CODE: 4,
  /** ERET to anything but EL1h. */
  ILLEGAL_RETURN: 5,
} as const;

/** One CPU at EL1, stepped. */
export class SteppingCpu {
  /** State before the next instruction. After changing it, call {@link writeBack}. */
  readonly registers = new RegisterFile();
  /** Class of the instruction that was executed last; after EXCEPTION, of the one at the PC. */
  instructionClass: number = InstructionClass.OTHER;
  /** That instruction's word. */
  instructionWord = 0;
  /** The engine's error number after ENGINE_ERROR. */
  engineStatus = 0;
  private code: MemoryRegion | undefined;

  constructor(
    readonly engine: Engine,
    private readonly memory: GuestMemory,
  ) {}

  /** Address of the next instruction. */
  get pc(): Address {
    return this.registers.get(Reg.PC);
  }

  /** Write all of {@link registers} to the engine. */
  writeBack(): void {
    this.engine.write(this.registers, RegisterSet.ALL);
  }

  /** Read everything, the system registers included, into {@link registers}. */
  readAll(): void {
    this.engine.read(this.registers, RegisterSet.ALL);
  }

  /** Execute one instruction. Returns one of {@link StepStatus}. */
  step(): number {
    const pc = this.registers.get(Reg.PC);
    let region = this.code;
    if (region === undefined || pc < region.low || pc >= region.high) {
      region = this.memory.regionAt(pc);
      if (region === undefined) return StepStatus.NO_CODE;
      this.code = region;
    }
    const word = region.words[(pc - region.low) >>> 2] as number;
    const kind = classify(word);
    this.instructionWord = word;
    this.instructionClass = kind;
    switch (kind) {
      case InstructionClass.BRK:
      case InstructionClass.SVC:
      case InstructionClass.HVC:
      case InstructionClass.SMC:
        return StepStatus.EXCEPTION;
      case InstructionClass.PAUTH_HINT:
        return this.stepPauthHint(pc, word);
      case InstructionClass.RET_AUTH:
        return this.stepReturnAuth(word);
      case InstructionClass.ERET:
        return this.stepExceptionReturn(pc);
      default:
        return this.stepEngine(pc);
    }
  }

  private stepEngine(pc: Address): number {
    const status = this.engine.step(pc);
    this.engine.read(this.registers, RegisterSet.GENERAL);
    if (status === 0) return StepStatus.DONE;
    this.engineStatus = status;
    return StepStatus.ENGINE_ERROR;
  }

  private stepPauthHint(pc: Address, word: number): number {
    const status = this.stepEngine(pc);
    if (status !== StepStatus.DONE) return status;
    const outcome = executePauthHint(word, this.registers);
    this.engine.write(this.registers, RegisterSet.GENERAL);
    return outcome === PauthOutcome.DONE ? StepStatus.DONE : StepStatus.PAUTH_FAILED;
  }

  private stepExceptionReturn(pc: Address): number {
    const status = this.stepEngine(pc);
    if (status !== StepStatus.DONE) return status;
    this.engine.read(this.registers, RegisterSet.EXCEPTION_RETURN);
    if (!completeExceptionReturn(this.registers)) return StepStatus.ILLEGAL_RETURN;
    this.engine.write(this.registers, RegisterSet.EXCEPTION_RETURN);
    return StepStatus.DONE;
  }

  private stepReturnAuth(word: number): number {
    const outcome = executeReturnAuth(word, this.registers);
    const words = this.registers.words;
    words[2 * Reg.PC] = words[2 * Reg.X30] as number;
    words[2 * Reg.PC + 1] = words[2 * Reg.X30 + 1] as number;
    this.engine.write(this.registers, RegisterSet.GENERAL);
    return outcome === PauthOutcome.DONE ? StepStatus.DONE : StepStatus.PAUTH_FAILED;
  }

  /**
   * Take an exception here: the CPU goes to its vector.
   * @see takeException
   */
  takeException(vectorBase: Address, offset: number, esr?: number): void {
    this.readAll();
    takeException(this.registers, vectorBase, offset, esr);
    this.writeBack();
  }

  /**
   * Step until the PC is `address`.
   * @param budget the most instructions to execute
   * @returns a {@link StepStatus}; DONE with the PC elsewhere means that the budget ran out
   */
  runTo(address: Address, budget: number): number {
    for (let i = 0; i < budget && this.pc !== address; i++) {
      const status = this.step();
      if (status !== StepStatus.DONE) return status;
    }
    return StepStatus.DONE;
  }

  /** One line that says why a step did not succeed. */
  describe(status: number): string {
    const at = `at ${formatAddress(this.pc)}`;
    switch (status) {
      case StepStatus.DONE:
        return `running ${at}`;
      case StepStatus.EXCEPTION:
        return `unexpected exception instruction 0x${this.instructionWord.toString(16)} ${at}`;
      case StepStatus.PAUTH_FAILED:
        return `pointer authentication failed before ${formatAddress(this.pc)}`;
      case StepStatus.ENGINE_ERROR:
        return `${this.engine.describe(this.engineStatus)} ${at}`;
      case StepStatus.ILLEGAL_RETURN:
        return `illegal exception return ${at}`;
      default:
        return `no code ${at}`;
    }
  }
}
