/**
 * Ground truth: which functions will run again, from the CPU's own calls and returns and nothing
 * else. This file never reads a frame record, a return stack or `.sframe` (docs/design.md, "Nothing
 * shared"): what it shares with an unwinder could hide a bug in both.
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
  /** SP with which control returns to the address; NaN when it is not known. */
  readonly sps = new Float64Array(MAX_DEPTH);
  readonly kinds = new Uint8Array(MAX_DEPTH);
  depth = 0;
  /** True once more than 4096 entries were pending: truth is then unknown. */
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
   * Control arrived at `pc` by an indirect branch: the call that waits for exactly this is over.
   * @param anySp a defect: recursion cannot be told apart
   */
  arrive(pc: Address, sp: Address, anySp = false): void {
    const top = this.depth - 1;
    if (
      top >= 0 &&
      this.kinds[top] === EntryKind.CALL &&
      this.addresses[top] === pc &&
      (anySp || this.sps[top] === sp || Number.isNaN(this.sps[top]))
    ) {
      this.depth = top;
    }
  }

  /** ERET: the innermost exception is over, and whatever was still pending above it. */
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

/** One task's part of a {@link TruthState}. */
interface ShadowStackState {
  readonly task: Address;
  readonly overflowed: boolean;
  readonly addresses: Float64Array;
  readonly sps: Float64Array;
  readonly kinds: Uint8Array;
}

/** A {@link GroundTruth} as it was: a copy, as large as what was pending. */
export interface TruthState {
  readonly currentTask: Address;
  readonly stacks: readonly ShadowStackState[];
}

/**
 * A deliberate mistake in the record, for the test that the harness can fail.
 *
 * - `tail-call-pops`: BR ends the innermost call, as if it had returned.
 * - `call-not-recorded`: BL and BLR push nothing.
 * - `eret-not-recorded`: an exception that ends in ERET stays pending.
 * - `sp-ignored`: arriving at a return address ends the call, whatever SP is.
 */
export type TruthDefect =
  'tail-call-pops' | 'call-not-recorded' | 'eret-not-recorded' | 'sp-ignored';

/** Every mistake there is. */
export const TRUTH_DEFECTS: readonly TruthDefect[] = [
  'tail-call-pops',
  'call-not-recorded',
  'eret-not-recorded',
  'sp-ignored',
];

/** The shadow stacks of all tasks of one machine, driven by the instructions of one CPU. */
export class GroundTruth {
  private readonly stacks = new Map<Address, ShadowStack>();
  /** The shadow stack of `current`. */
  current: ShadowStack;
  /** SP_EL0: the task_struct that `current` is. */
  currentTask: Address;

  /**
   * @param newTaskEntry where a task starts that has never run (ret_from_fork): no call leads there,
   * so that address is pending until control has come to it
   */
  constructor(
    initialTask: Address,
    private readonly defect?: TruthDefect,
    private readonly newTaskEntry?: Address,
  ) {
    this.currentTask = initialTask;
    this.current = new ShadowStack();
    this.stacks.set(initialTask, this.current);
  }

  /** Forget everything: a task that has just become current, with no call pending. */
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

  /** Back to what {@link save} gave. Shadow stacks keep their identity as long as their task is known. */
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

  /** Whether a task has been current: a task that has not may not even have been made. */
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
   * @param instructionClass its class, before it ran
   * @param word its encoding
   * @param pc where it was
   * @param after the registers after it
   */
  executed(instructionClass: number, word: number, pc: Address, after: RegisterFile): void {
    switch (instructionClass) {
      case InstructionClass.BL:
      case InstructionClass.BLR:
        if (this.defect !== 'call-not-recorded') {
          this.current.push(pc + 4, after.get(Reg.SP), EntryKind.CALL);
        }
        break;
      case InstructionClass.BR:
        if (this.defect === 'tail-call-pops') this.current.depth--;
        this.arrive(after);
        break;
      case InstructionClass.RET:
      case InstructionClass.RET_AUTH:
        this.arrive(after);
        break;
      case InstructionClass.ERET:
        if (this.defect !== 'eret-not-recorded') this.current.leaveException();
        this.arrive(after);
        break;
      case InstructionClass.MSR_SP_EL0:
        // MSR does not change its operand, so the register still holds what was written; 31 is XZR.
        this.switchTo(targetRegister(word) === 31 ? 0 : after.get(targetRegister(word)));
        break;
      default:
        break;
    }
  }

  private arrive(after: RegisterFile): void {
    this.current.arrive(after.get(Reg.PC), after.get(Reg.SP), this.defect === 'sp-ignored');
  }

  /** An exception interrupted the CPU at `pc`. */
  exceptionTaken(pc: Address, sp: Address): void {
    this.current.push(pc, sp, EntryKind.EXCEPTION);
  }

  /**
   * The handler of a probe has carried out a BL or BLR in the CPU's stead, and its ERET went to the
   * function called. The call is as much a call as if the CPU had made it.
   * @param pc of the instruction @param sp of the caller
   */
  callSimulated(pc: Address, sp: Address): void {
    this.current.push(pc + 4, sp, EntryKind.CALL);
  }

  /** An exception that does not end in ERET (SDEI: the firmware resumes) is over. */
  exceptionReturned(): void {
    this.current.leaveException();
  }
}
