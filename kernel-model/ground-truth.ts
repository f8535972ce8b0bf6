/**
 * Ground truth: which functions will run again, from nothing but the CPU's own calls and returns.
 * This file never reads a frame record, a return stack or `.sframe`, because anything it shared
 * with an unwinder could hide a bug in both (docs/design.md, "Nothing shared").
 */
import type { Address } from '../base/address.js';
import { InstructionClass, targetRegister } from '../aarch64/instruction.js';
import { Reg, type RegisterFile } from '../emulator/registers.js';

/** What pushed an entry of a {@link ShadowStack}. */
export const EntryKind = {
  /** BL or BLR: the entry's address is the return address. */
  CALL: 0,
  /** An exception: the entry's address is the interrupted PC. */
  EXCEPTION: 1,
} as const;

const MAX_DEPTH = 4096;

/** The pending returns of one task, innermost last. */
export class ShadowStack {
  readonly addresses = new Float64Array(MAX_DEPTH);
  /** SP with which control returns to the address; NaN: not known. */
  readonly sps = new Float64Array(MAX_DEPTH);
  readonly kinds = new Uint8Array(MAX_DEPTH);
  depth = 0;
  /** True once more than 4096 entries were pending: the truth is then unknown. */
  overflowed = false;

  push(address: Address, sp: Address, kind: number): void {
    if (this.depth === MAX_DEPTH) {
      this.overflowed = true;
      return;
    }
    this.addresses[this.depth] = address;
    this.sps[this.depth] = sp;
    this.kinds[this.depth] = kind;
    this.depth++;
  }

  /**
   * Control arrived at `pc` by an indirect branch: the call that was pending with this return
   * address and SP is over.
   */
  arrive(pc: Address, sp: Address): void {
    const top = this.depth - 1;
    if (
      top >= 0 &&
      this.kinds[top] === EntryKind.CALL &&
      this.addresses[top] === pc &&
      (this.sps[top] === sp || Number.isNaN(this.sps[top]))
    ) {
      this.depth = top;
    }
  }

  /** ERET: the innermost exception is over, and so is everything pending above it. */
  leaveException(): void {
    let at = this.depth - 1;
    while (at >= 0 && this.kinds[at] !== EntryKind.EXCEPTION) at--;
    if (at >= 0) this.depth = at;
  }

  copyFrom(other: ShadowStack): void {
    this.depth = other.depth;
    this.overflowed = other.overflowed;
    this.addresses.set(other.addresses.subarray(0, other.depth));
    this.sps.set(other.sps.subarray(0, other.depth));
    this.kinds.set(other.kinds.subarray(0, other.depth));
  }
}

/** The part of a {@link TruthState} that belongs to one task. */
interface ShadowStackState {
  readonly task: Address;
  readonly overflowed: boolean;
  readonly addresses: Float64Array;
  readonly sps: Float64Array;
  readonly kinds: Uint8Array;
}

/** A copy of a {@link GroundTruth}. Its size is that of what was pending. */
export interface TruthState {
  readonly currentTask: Address;
  readonly stacks: readonly ShadowStackState[];
}

/** The shadow stacks of all tasks of one machine, driven by the instructions of one CPU. */
export class GroundTruth {
  private readonly stacks = new Map<Address, ShadowStack>();
  /** The shadow stack of `current`. */
  current: ShadowStack;
  /** The task_struct of `current`, as in SP_EL0. */
  currentTask: Address;

  /**
   * @param newTaskEntry where a new task starts (ret_from_fork). No call leads there, so that
   * address is pending until control reaches it
   */
  constructor(
    initialTask: Address,
    private readonly newTaskEntry?: Address,
  ) {
    this.currentTask = initialTask;
    this.current = new ShadowStack();
    this.stacks.set(initialTask, this.current);
  }

  /** Forget everything: `task` is current, with no call pending. */
  restart(task: Address): void {
    this.stacks.clear();
    this.current.depth = 0;
    this.current.overflowed = false;
    this.currentTask = task;
    this.stacks.set(task, this.current);
  }

  /** A copy of everything that is pending. */
  save(): TruthState {
    const stacks = [...this.stacks].map(([task, stack]) => ({
      task,
      overflowed: stack.overflowed,
      addresses: stack.addresses.slice(0, stack.depth),
      sps: stack.sps.slice(0, stack.depth),
      kinds: stack.kinds.slice(0, stack.depth),
    }));
    return { currentTask: this.currentTask, stacks };
  }

  /**
   * Restore what {@link save} returned. The shadow stack of a task that is known stays the same
   * object.
   */
  restore(state: TruthState): void {
    const known = new Map(this.stacks);
    this.stacks.clear();
    for (const { task, overflowed, addresses, sps, kinds } of state.stacks) {
      const stack = known.get(task) ?? new ShadowStack();
      stack.addresses.set(addresses);
      stack.sps.set(sps);
      stack.kinds.set(kinds);
      stack.depth = addresses.length;
      stack.overflowed = overflowed;
      this.stacks.set(task, stack);
    }
    this.currentTask = state.currentTask;
    this.current = this.ofTask(state.currentTask);
  }

  /** Whether a task has ever been current. One that has not may not even exist yet. */
  hasRun(task: Address): boolean {
    return this.stacks.has(task);
  }

  /** The shadow stack of a task. */
  ofTask(task: Address): ShadowStack {
    let stack = this.stacks.get(task);
    if (stack === undefined) {
      stack = new ShadowStack();
      if (this.newTaskEntry !== undefined) stack.push(this.newTaskEntry, NaN, EntryKind.CALL);
      this.stacks.set(task, stack);
    }
    return stack;
  }

  /** `current` is now another task. */
  switchTo(task: Address): void {
    this.currentTask = task;
    this.current = this.ofTask(task);
  }

  /**
   * Record one executed instruction.
   * @param instructionClass its class
   * @param word its encoding
   * @param pc its address
   * @param after the registers after it
   */
  executed(instructionClass: number, word: number, pc: Address, after: RegisterFile): void {
    switch (instructionClass) {
      case InstructionClass.BL:
      case InstructionClass.BLR:
        this.current.push(pc + 4, after.get(Reg.SP), EntryKind.CALL);
        break;
      case InstructionClass.BR:
      case InstructionClass.RET:
      case InstructionClass.RET_AUTH:
        this.arrive(after);
        break;
      case InstructionClass.ERET:
        this.current.leaveException();
        this.arrive(after);
        break;
      case InstructionClass.MSR_SP_EL0:
        // MSR leaves its operand unchanged, so the register still holds what was written; 31 is
        // XZR.
        this.switchTo(targetRegister(word) === 31 ? 0 : after.get(targetRegister(word)));
        break;
      default:
        break;
    }
  }

  private arrive(after: RegisterFile): void {
    this.current.arrive(after.get(Reg.PC), after.get(Reg.SP));
  }

  /** An exception interrupted the CPU at `pc`. */
  exceptionTaken(pc: Address, sp: Address): void {
    this.current.push(pc, sp, EntryKind.EXCEPTION);
  }

  /**
   * A probe's handler has simulated a BL or BLR, and its ERET went to the called function. That is
   * a call like any other.
   * @param pc address of the simulated instruction
   * @param sp SP of the caller
   */
  callSimulated(pc: Address, sp: Address): void {
    this.current.push(pc + 4, sp, EntryKind.CALL);
  }

  /** An exception that does not end in ERET is over: after an SDEI event, the firmware resumes. */
  exceptionReturned(): void {
    this.current.leaveException();
  }
}
