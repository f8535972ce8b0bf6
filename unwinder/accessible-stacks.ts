/**
 * The stacks that one walk may read, and how much of each is left (asm/stacktrace/common.h,
 * v7.3-rc7). A walk consumes its stacks: what lies below an unwound object may not be read again,
 * nor may a stack that the walk has left.
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
  /** Low and high word that {@link load} read, signed. */
  lo = 0;
  hi = 0;

  /** Who may read each stack: 0 its own task, 1 the current task, 2 the current task in NMI. */
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
   * Opens the stacks of a task for a new walk.
   * - Of the task stacks, the one that holds `finalRecord`.
   * - The IRQ and overflow stacks, for the current task. It is never preemptible here: the unwinder
   *   runs in a handler, or with preemption disabled.
   * - The SDEI stacks, for the current task in NMI context.
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

  /** Index of the readable stack that holds all `size` bytes at `address`, or -1. */
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
   * Makes `stack` the one being unwound; the stack that the walk leaves may not be read again.
   * To consume an object, call this when its stack is not {@link current}, then raise `low` above
   * it.
   */
  moveTo(stack: number): void {
    const { current } = this;
    if (current >= 0) this.low[current] = CLOSED;
    this.current = stack;
  }

  /**
   * Reads the u64 at `address`, at any alignment, into {@link lo} and {@link hi}.
   * @returns the index of the stack that holds it, or -1 when none does and nothing was read
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
