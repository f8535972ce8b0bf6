/**
 * The stacks of a simulated kernel: where they are, and which one an SP lies on. The sizes are
 * those of arch/arm64/include/asm/memory.h (v7.3-rc7): 16 KiB, and 4 KiB for the overflow stack.
 */
import { type Address, formatAddress } from '../base/address.js';
import type { GuestMemory } from '../emulator/guest-memory.js';
import { fail, ok, type Result } from '../base/result.js';
import { type KernelImage, OVERFLOW_STACK_SIZE, THREAD_SIZE } from './kernel-image.js';

/** Slots of {@link KernelStacks}, in the order in which an SP is looked up. */
export const StackSlot = {
  TASK: 0,
  IRQ: 1,
  OVERFLOW: 2,
  SDEI_NORMAL: 3,
  SDEI_CRITICAL: 4,
  NONE: 5,
} as const;

/** One stack, as live words of guest memory. */
export interface GuestStack {
  readonly low: Address;
  /** One past the last byte. */
  readonly high: Address;
  /** Little-endian 32-bit words; the first is at `low`. */
  readonly words: Uint32Array;
  /** The same memory as bytes. */
  readonly bytes: Buffer;
}

/** A stack that is not in guest memory. */
export interface StackError {
  readonly kind: 'stack-not-mapped';
  readonly at: string;
}

/** The stacks that can be in use while one task is current. */
export class KernelStacks {
  /** By {@link StackSlot}. The task stack is that of the current task. */
  readonly all: GuestStack[];

  private constructor(
    private readonly kernel: KernelImage,
    private readonly memory: GuestMemory,
    stacks: GuestStack[],
  ) {
    this.all = stacks;
  }

  /** Find the stacks through the kernel's own pointers. @param task current task_struct */
  static create(
    kernel: KernelImage,
    memory: GuestMemory,
    task: Address,
  ): Result<KernelStacks, StackError> {
    const { roles } = kernel;
    const places: [Address | undefined, number][] = [
      [memory.readAddress(task + kernel.offsets.taskStack), THREAD_SIZE],
      [memory.readAddress(roles.irqStackPointer), THREAD_SIZE],
      [roles.overflowStack, OVERFLOW_STACK_SIZE],
      [memory.readAddress(roles.sdeiNormalStackPointer), THREAD_SIZE],
      [memory.readAddress(roles.sdeiCriticalStackPointer), THREAD_SIZE],
    ];
    const stacks: GuestStack[] = [];
    for (const [low, size] of places) {
      const stack = low === undefined ? undefined : stackAt(memory, low, size);
      if (stack === undefined) {
        return fail({ kind: 'stack-not-mapped', at: formatAddress(low ?? 0) });
      }
      stacks.push(stack);
    }
    return ok(new KernelStacks(kernel, memory, stacks));
  }

  /** The stack of any task; undefined when its stack pointer is not in guest memory. */
  ofTask(task: Address): GuestStack | undefined {
    const low = this.memory.readAddress(task + this.kernel.offsets.taskStack);
    return low === undefined ? undefined : stackAt(this.memory, low, THREAD_SIZE);
  }

  /** Make `task` the current one. Returns false when its stack is not mapped. */
  switchTo(task: Address): boolean {
    const stack = this.ofTask(task);
    if (stack === undefined) return false;
    this.all[StackSlot.TASK] = stack;
    return true;
  }

  /** The slot of the stack that an SP lies on. The SP of an empty stack is its `high`. */
  slotOf(sp: Address): number {
    const { all } = this;
    for (let slot = 0; slot < all.length; slot++) {
      const stack = all[slot] as GuestStack;
      if (sp > stack.low && sp <= stack.high) return slot;
    }
    return StackSlot.NONE;
  }
}

function stackAt(memory: GuestMemory, low: Address, size: number): GuestStack | undefined {
  const region = memory.regionAt(low);
  if (region === undefined || low + size > region.high) return undefined;
  const offset = low - region.low;
  const { buffer, byteOffset } = region.bytes;
  return {
    low,
    high: low + size,
    words: new Uint32Array(buffer, byteOffset + offset, size >> 2),
    bytes: Buffer.from(buffer, byteOffset + offset, size),
  };
}
