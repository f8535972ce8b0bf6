/**
 * Calls a kernel image's own unwinder at a walk request, on the stack of the request, as if the
 * request's caller had called it: with that caller's return address in x30, and its x29. Afterwards
 * registers and memory are as they were.
 *
 * The memory below SP is restored, too, although the call only pushes there. Otherwise what an
 * unwinder finds in slots that were never stored would depend on who walked before.
 */
import type { Address } from '../base/address.js';
import { RegisterSet } from '../emulator/engine.js';
import type { MemoryRegion } from '../emulator/guest-memory.js';
import { exceptionImmediate, InstructionClass } from '../aarch64/instruction.js';
import { Reg, RegisterFile } from '../emulator/registers.js';
import { readCpuState, writeCpuState } from '../emulator/snapshot.js';
import { StepStatus } from '../emulator/stepping-cpu.js';
import type { ExceptionDriver } from './exception-driver.js';
import { ErrorOrigin } from './error-origin.js';
import type { Machine } from './machine.js';
import { TRACE_ENTRIES, TRACE_LIMIT, TRACE_SEEN, type WalkStub } from './walk-stub.js';

/** How {@link WalkCall.call} ended. */
export const CallStatus = {
  /** The function has returned. */
  RETURNED: 0,
  /** The engine stopped with an error: a fetch, load or store outside mapped memory. */
  ENGINE_ERROR: 1,
  /** A stop that is neither the return nor a WARN: an ERET, or a BRK of another kind. */
  STOPPED: 2,
  /** It did not return within the budget of instructions (or of WARNs). */
  RUNAWAY: 3,
} as const;

/** BRK immediate of WARN and BUG (asm/brk-imm.h, v7.3-rc7). */
const BUG_BRK_IMM = 0x800;
/** Bytes below SP that are restored: more than the frames of any unwinder take. */
const CALL_STACK = 4096;
/** WARNs after which a call is given up. */
const MAX_WARNS = 64;
/** The most instructions of a call that is executed step by step. */
const CALL_BUDGET = 2_000_000;

/** Calls into one machine. */
export class WalkCall {
  /** x0 after RETURNED. */
  result = 0;
  /** WARNs (and BUGs) of the last call, and the address of the first one. */
  warns = 0;
  warnedAt: Address = 0;
  /** Where the last call stopped. */
  stoppedAt: Address = 0;

  private readonly saved = new RegisterFile();
  private readonly given = new RegisterFile();
  private readonly after = new RegisterFile();
  private readonly below = Buffer.alloc(CALL_STACK);
  private region: MemoryRegion | undefined;
  private regionBytes: Buffer = Buffer.alloc(0);
  private belowFrom = 0;
  private belowSize = 0;
  private stepped = false;
  private returnAddress: Address = 0;
  /** What the last call was of. */
  private fn: Address = 0;
  private readonly trace: Uint32Array;

  constructor(
    private readonly machine: Machine,
    private readonly stub: WalkStub,
  ) {
    const region = machine.memory.regionAt(stub.trace);
    if (region === undefined) throw new Error('the walk stub is not loaded');
    this.trace = region.words.subarray((stub.trace - region.low) >>> 2);
  }

  /** Prepare for calls at the driver's walk request. */
  begin(driver: ExceptionDriver): void {
    this.stepped = driver.requestRegisters(this.saved) && driver.alwaysStepped;
    this.beginAt();
    if (!this.stepped) this.machine.runner.write(this.saved, RegisterSet.ALL);
  }

  private beginAt(): void {
    const { saved } = this;
    this.returnAddress = saved.get(Reg.X30);
    this.given.copyFrom(saved);
    const sp = saved.get(Reg.SP);
    const region = this.machine.memory.regionAt(sp - 1);
    if (region !== this.region) {
      this.region = region;
      const { buffer, byteOffset, length } = region?.bytes ?? new Uint8Array(0);
      this.regionBytes = Buffer.from(buffer, byteOffset, length);
    }
    this.belowSize = region === undefined ? 0 : Math.min(CALL_STACK, sp - region.low);
    this.belowFrom = region === undefined ? 0 : sp - region.low - this.belowSize;
    this.regionBytes.copy(this.below, 0, this.belowFrom, this.belowFrom + this.belowSize);
  }

  /** Restore registers and memory. */
  end(): void {
    this.below.copy(this.regionBytes, this.belowFrom, 0, this.belowSize);
    this.putBack();
  }

  private putBack(): void {
    const { machine, saved } = this;
    if (!this.stepped) {
      machine.runner.write(saved, RegisterSet.GENERAL);
      return;
    }
    machine.returner.registers.copyFrom(saved);
    machine.returner.writeBack();
  }

  /**
   * Call `fn(consume_entry, cookie, task, regs)`.
   * @param limit entries after which consume_entry returns false
   * @returns one of {@link CallStatus}
   */
  call(fn: Address, task: Address, regs: Address, limit: number): number {
    const { given, stub, trace } = this;
    trace[TRACE_SEEN >> 2] = 0;
    trace[TRACE_LIMIT >> 2] = limit;
    given.set(Reg.X0, stub.consumeEntry);
    given.set(Reg.X1, stub.trace);
    given.set(Reg.X2, task);
    given.set(Reg.X3, regs);
    this.warns = 0;
    this.fn = fn;
    const status = this.stepped ? this.callStepped(fn) : this.callRunning(fn);
    // A call that was broken off leaves the callee-saved registers changed.
    if (status !== CallStatus.RETURNED) this.putBack();
    return status;
  }

  private callRunning(fn: Address): number {
    const { runner, memory } = this.machine;
    const { after } = this;
    runner.write(this.given, RegisterSet.ARGUMENTS);
    let from = fn;
    for (;;) {
      const status = runner.run(from);
      runner.read(after, RegisterSet.CALL);
      if (status !== 0) {
        this.stoppedAt = after.get(Reg.PC);
        return CallStatus.ENGINE_ERROR;
      }
      const stop = after.get(Reg.PC) - 4;
      this.stoppedAt = stop;
      if (stop === this.returnAddress) return this.returned(after);
      const word = memory.readWord(stop) ?? 0;
      if (!this.isWarn(word, stop)) return CallStatus.STOPPED;
      if (this.warns > MAX_WARNS) return CallStatus.RUNAWAY;
      from = stop + 4;
    }
  }

  /**
   * Repeat the last call step by step, to see where its result comes from.
   * @returns the address of the RET that the result was first returned by, if that can be told
   */
  originOfError(): Address | undefined {
    const origin = new ErrorOrigin(this.result);
    const { returner } = this.machine;
    // A driver that learns a path has its state in the returner, though the call was made elsewhere.
    const words = returner.registers.words.slice();
    const state = readCpuState(returner.engine);
    this.trace[TRACE_SEEN >> 2] = 0;
    const status = this.callStepped(this.fn, origin);
    writeCpuState(returner.engine, state);
    returner.registers.words.set(words);
    return status === CallStatus.RETURNED ? origin.returnedAt : undefined;
  }

  private callStepped(fn: Address, origin?: ErrorOrigin): number {
    const cpu = this.machine.returner;
    cpu.registers.copyFrom(this.given);
    cpu.registers.set(Reg.PC, fn);
    cpu.writeBack();
    for (let i = 0; i < CALL_BUDGET && this.warns <= MAX_WARNS; i++) {
      const { pc } = cpu;
      if (pc === this.returnAddress) return this.returned(cpu.registers);
      const status = cpu.step();
      if (status === StepStatus.DONE) {
        origin?.executed(cpu, pc);
        continue;
      }
      this.stoppedAt = pc;
      if (status !== StepStatus.EXCEPTION) return CallStatus.ENGINE_ERROR;
      if (cpu.instructionClass !== InstructionClass.BRK) return CallStatus.STOPPED;
      if (!this.isWarn(cpu.instructionWord, pc)) return CallStatus.STOPPED;
      cpu.registers.set(Reg.PC, pc + 4);
      cpu.writeBack();
    }
    this.stoppedAt = cpu.pc;
    return CallStatus.RUNAWAY;
  }

  /** Whether a stop is a WARN. Counts it. */
  private isWarn(word: number, address: Address): boolean {
    if (word >>> 21 !== 0x6a1 || exceptionImmediate(word) !== BUG_BRK_IMM) return false;
    if (this.warns++ === 0) this.warnedAt = address;
    return true;
  }

  private returned(registers: RegisterFile): number {
    this.result = (registers.words[2 * Reg.X0] as number) | 0;
    // A function that returns with another SP has not really returned.
    const sound =
      registers.get(Reg.SP) === this.saved.get(Reg.SP) &&
      registers.get(Reg.X29) === this.saved.get(Reg.X29);
    return sound ? CallStatus.RETURNED : CallStatus.STOPPED;
  }

  /** Number of entries that the last call offered, including those for which there was no room. */
  get seen(): number {
    return this.trace[TRACE_SEEN >> 2] as number;
  }

  /**
   * Copy the first entries of the last call.
   * @param count at most STUB_ENTRIES
   */
  copyEntries(into: Float64Array, count: number): void {
    const { trace } = this;
    for (let i = 0, at = TRACE_ENTRIES >> 2; i < count; i++, at += 2) {
      into[i] = ((trace[at + 1] as number) | 0) * 4294967296 + (trace[at] as number);
    }
  }
}
