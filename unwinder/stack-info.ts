/** The stacks of a kernel, as the unwinder sees them (arch/arm64 asm/stacktrace.h, v7.3-rc7). */

import { type Address } from '../base/address.js';

/** Kind of a stack: a task's own, or one of the four of a CPU. */
export type StackKind = 'task' | 'irq' | 'overflow' | 'sdei-normal' | 'sdei-critical';

/** One stack and the guest memory behind it. */
export interface StackInfo {
  readonly kind: StackKind;
  /** Lowest address; 8-byte aligned, and not 0. */
  readonly low: Address;
  /** One past the highest byte. */
  readonly high: Address;
  /** The guest memory as little-endian 32-bit words, from `low` on: a live view, not a copy. */
  readonly words: Uint32Array;
}
