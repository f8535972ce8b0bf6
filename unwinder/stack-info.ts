/** The stacks a kernel has, as the unwinder knows them (arch/arm64 asm/stacktrace.h, v7.3-rc7). */

import { type Address } from '../base/address.js';

/** Which stack: a task's own, or one of the CPU's four. */
export type StackKind = 'task' | 'irq' | 'overflow' | 'sdei-normal' | 'sdei-critical';

/** One stack and the guest memory behind it. */
export interface StackInfo {
  readonly kind: StackKind;
  /** Lowest address, 8-byte aligned and not 0. */
  readonly low: Address;
  /** One past the highest byte. */
  readonly high: Address;
  /** Little-endian 32-bit words of guest memory, `words[0]` at `low`: a live view, not a copy. */
  readonly words: Uint32Array;
}
