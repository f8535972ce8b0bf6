/**
 * What an exception must leave as it was, besides the registers: the interrupted stack from SP up,
 * preempt_count of the interrupted task, and the interrupt controller's priority mask.
 */
import { Reg, type RegisterFile } from '../emulator/registers.js';
import type { ExceptionSource } from './exception-source.js';
import { THREAD_SIZE } from './kernel-image.js';
import type { Machine } from './machine.js';
import { type GuestStack, type KernelStacks, StackSlot } from './stacks.js';

/** Keeps that state, and compares it. */
export class InterruptedState {
  /** The slot of the interrupted stack. */
  stackSlot: number = StackSlot.NONE;
  priorityMask = 0;
  preemptCount = 0;

  private readonly stack = Buffer.alloc(THREAD_SIZE);
  private stackFrom = 0;
  private stackBytes = 0;

  constructor(
    private readonly machine: Machine,
    private readonly stacks: KernelStacks,
    private readonly source: ExceptionSource,
  ) {}

  /** Keep the stack of a context that is about to be interrupted. */
  keepStack(interrupted: RegisterFile): void {
    const sp = interrupted.get(Reg.SP);
    this.stackSlot = this.stacks.slotOf(sp);
    this.stackBytes = 0;
    // The vector's overflow test leaves arbitrary values in SP. A value that happens to lie on an
    // SDEI stack that no event uses is not a stack pointer.
    if (this.stackSlot >= StackSlot.SDEI_NORMAL + this.source.sdeiLevel) return;
    const stack = this.stacks.all[this.stackSlot] as GuestStack;
    this.stackFrom = sp - stack.low;
    this.stackBytes = stack.high - sp;
    stack.bytes.copy(this.stack, 0, this.stackFrom, this.stackFrom + this.stackBytes);
  }

  /** Keep preempt_count and the priority mask. */
  keepCounts(interrupted: RegisterFile): void {
    this.priorityMask = this.source.priorityMask();
    this.preemptCount = this.preemptCountOf(interrupted);
  }

  /** Whether the stack is what it was. */
  isStackSame(): boolean {
    if (this.stackBytes === 0) return true;
    const { bytes } = this.stacks.all[this.stackSlot] as GuestStack;
    const [from, count] = [this.stackFrom, this.stackBytes];
    return bytes.compare(this.stack, 0, count, from, from + count) === 0;
  }

  /** Whether preempt_count and the priority mask are what they were. */
  areCountsSame(interrupted: RegisterFile): boolean {
    return (
      this.source.priorityMask() === this.priorityMask &&
      this.preemptCountOf(interrupted) === this.preemptCount
    );
  }

  /** preempt_count of the task that is current in the interrupted context. */
  preemptCountOf(interrupted: RegisterFile): number {
    const { memory, kernel } = this.machine;
    const task = interrupted.get(Reg.SP_EL0);
    return memory.readWord(task + kernel.offsets.taskPreemptCount) ?? 0;
  }
}
