/**
 * The stacks one walk may read, as a copy that the walk consumes (asm/stacktrace/common.h,
 * v7.3-rc7): whatever lies below an object that was unwound is gone, and so is a stack once the
 * walk has moved to another one.
 */

import { type Address } from '../base/address.js';
import { type StackInfo } from './stack-info.js';

/** `low` of a stack that may not be read. */
const CLOSED = Infinity;

export class AccessibleStacks {
  /** Lowest readable address of each stack; Infinity for one that may not be read. */
  readonly low: Float64Array;
  /** One past the highest byte of each stack. */
  readonly high: Float64Array;
  /** Address of `words[i][0]`. */
  readonly base: Float64Array;
  readonly words: readonly Uint32Array[];
  /** The stack being unwound, or -1 before the first object. */
  current = -1;
  /** What {@link load} read. */
  lo = 0;
  hi = 0;

  /** What each stack needs: 0 nothing but its task, 1 the current task, 2 the current task in NMI. */
  private readonly condition: Uint8Array;

  constructor(stacks: readonly StackInfo[]) {
    this.base = Float64Array.from(stacks, (stack) => stack.low);
    this.low = new Float64Array(stacks.length).fill(CLOSED);
    this.high = Float64Array.from(stacks, (stack) => stack.high);
    this.words = stacks.map((stack) => stack.words);
    this.condition = Uint8Array.from(stacks, (stack) =>
      stack.kind === 'task' ? 0 : stack.kind === 'irq' || stack.kind === 'overflow' ? 1 : 2,
    );
  }

  /**
   * Opens the stacks of a task for a new walk: of the task stacks the one that holds its final
   * record; IRQ and overflow stack for the current task (which never is preemptible where this
   * unwinder runs: in a handler, or called with preemption disabled); SDEI stacks in NMI only.
   */
  open(finalRecord: Address, isCurrent: boolean, inNmi: boolean): void {
    const { low, high, base, condition } = this;
    const allowed = isCurrent ? (inNmi ? 2 : 1) : 0;
    for (let i = 0; i < base.length; i++) {
      const needs = condition[i] as number;
      const bottom = base[i] as number;
      const open =
        needs === 0 ? finalRecord >= bottom && finalRecord < (high[i] as number) : needs <= allowed;
      low[i] = open ? bottom : CLOSED;
    }
    this.current = -1;
  }

  /** The stack that holds all `size` bytes at `address` and may be read, or -1. */
  find(address: Address, size: number): number {
    const { low, high, current } = this;
    const end = address + size;
    if (current >= 0 && address >= (low[current] as number) && end <= (high[current] as number)) {
      return current;
    }
    for (let i = 0; i < low.length; i++) {
      if (address >= (low[i] as number) && end <= (high[i] as number)) return i;
    }
    return -1;
  }

  /**
   * Makes `stack` the one being unwound: the stack left for it may not be read again. Consuming an
   * object is this, when its stack is not {@link current}, and raising `low` above the object.
   */
  moveTo(stack: number): void {
    const { current } = this;
    if (current >= 0) this.low[current] = CLOSED;
    this.current = stack;
  }

  /**
   * Reads the u64 at `address`, of any alignment, into {@link lo} and {@link hi} (signed words).
   * The answer is the stack that holds it, or -1 and nothing read.
   */
  load(address: Address): number {
    const stack = this.find(address, 8);
    if (stack < 0) return -1;
    const words = this.words[stack] as Uint32Array;
    const offset = address - (this.base[stack] as number);
    const i = offset >>> 2;
    const shift = (offset & 3) * 8;
    if (shift === 0) {
      this.lo = (words[i] as number) | 0;
      this.hi = (words[i + 1] as number) | 0;
    } else {
      const middle = words[i + 1] as number;
      this.lo = ((words[i] as number) >>> shift) | (middle << (32 - shift));
      this.hi = (middle >>> shift) | ((words[i + 2] as number) << (32 - shift));
    }
    return stack;
  }
}
