/** Reads from guest memory, for the unwinder, what tracers record about replaced return addresses. */
import type { Address } from '../base/address.js';
import type { Machine } from '../kernel-model/machine.js';
import type { GraphReturnStack } from '../unwinder/graph-return-stack.js';
import type { KretprobeInstances } from '../unwinder/kretprobe-instances.js';

/** Words of struct ftrace_ret_stack {ret, func, fp, retp}, and the size bits of a type word. */
const RET = 0;
const FUNC = 1;
const FP = 2;
const RETP = 3;
const SIZE_MASK = 0x3ff;

/**
 * A task's function-graph return stack in guest memory (kernel/trace/fgraph.c, v7.3-rc7). Words have 8
 * bytes. Above each entry is a type word, whose low bits are the size of the entry in words.
 */
export class GuestGraphReturnStack implements GraphReturnStack {
  constructor(
    private readonly machine: Machine,
    private readonly task: Address,
  ) {}

  private base(): Address {
    const { memory, kernel } = this.machine;
    return memory.readAddress(this.task + kernel.offsets.taskRetStack) ?? 0;
  }

  private top(): number {
    const { memory, kernel } = this.machine;
    return (memory.readWord(this.task + kernel.offsets.taskCurrRetStack) ?? 0) | 0;
  }

  private word(index: number): Address {
    return this.machine.memory.readAddress(this.base() + 8 * index) ?? 0;
  }

  /** Word index of the entry below `top`; -1 when there is none, or its type word is invalid. */
  private below(top: number): number {
    if (top <= 1) return -1;
    const type = this.machine.memory.readWord(this.base() + 8 * (top - 1)) ?? 0;
    const size = type & SIZE_MASK;
    return size === 0 || size > top - 1 ? -1 : top - 1 - size;
  }

  depth(): number {
    if (this.base() === 0) return -1;
    let count = 0;
    for (let at = this.below(this.top()); at >= 0; at = this.below(at)) count++;
    return count;
  }

  /** Word index of entry `i`; 0 is the oldest. */
  private entry(i: number): number {
    let at = this.below(this.top());
    for (let left = this.depth() - 1 - i; left > 0 && at >= 0; left--) at = this.below(at);
    return at;
  }

  ret(i: number): Address {
    return this.word(this.entry(i) + RET);
  }

  /** Guest address of entry `i`, which begins with `ret`. For reports. */
  addressOf(i: number): Address {
    return this.base() + 8 * this.entry(i);
  }

  /** The traced function of entry `i`. For reports. */
  func(i: number): Address {
    return this.word(this.entry(i) + FUNC);
  }

  /** x29 at the entry of the traced function, which is compared when it returns. For reports. */
  fp(i: number): Address {
    return this.word(this.entry(i) + FP);
  }

  retp(i: number): Address {
    return this.word(this.entry(i) + RETP);
  }
}

/** Instances after which a list counts as looping: more than the guest has. */
const MAX_INSTANCES = 64;

/** A task's list of kretprobe instances in guest memory, newest first (kernel/kprobes.c, v7.3-rc7). */
export class GuestKretprobeInstances implements KretprobeInstances {
  constructor(
    private readonly machine: Machine,
    private readonly task: Address,
  ) {}

  /** Instance `i`, or 0 past the end. */
  private instance(i: number): Address {
    const { memory, kernel } = this.machine;
    let at = memory.readAddress(this.task + kernel.offsets.taskKretprobes) ?? 0;
    for (let left = i; left > 0 && at !== 0; left--) {
      at = memory.readAddress(at + kernel.offsets.kretprobeNext) ?? 0;
    }
    return at;
  }

  /** Guest address of the replaced return address in instance `i`. For reports. */
  addressOf(i: number): Address {
    return this.instance(i) + this.machine.kernel.offsets.kretprobeRetAddr;
  }

  count(): number {
    let count = 0;
    while (count < MAX_INSTANCES && this.instance(count) !== 0) count++;
    return count;
  }

  ret(i: number): Address {
    const { memory, kernel } = this.machine;
    return memory.readAddress(this.instance(i) + kernel.offsets.kretprobeRetAddr) ?? 0;
  }

  fp(i: number): Address {
    const { memory, kernel } = this.machine;
    return memory.readAddress(this.instance(i) + kernel.offsets.kretprobeFp) ?? 0;
  }
}
