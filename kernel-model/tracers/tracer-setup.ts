/**
 * The memory contents that a tracer needs on a kernel that was not booted: the state that
 * registering it and creating the task would have made. docs/real-kernels.md lists it.
 */
import type { Address } from '../../base/address.js';
import type { CodeWord } from '../kernel-state.js';

/** Bytes of memory that the state takes. */
export const TRACER_STATE_SIZE = 0x2000;

/** Memory contents to put in place. */
export interface TracerSetup {
  /** Data words of 64 bits, and of 32. A reset of the machine undoes them. */
  readonly words: readonly { readonly address: Address; readonly value: Address }[];
  readonly words32: readonly { readonly address: Address; readonly value: number }[];
  /** Words of code, and words of data that the kernel cannot write. */
  readonly code: readonly CodeWord[];
  /** Probed addresses, each with the instruction that its breakpoint replaces. */
  readonly breakpoints: ReadonlyMap<Address, number>;
}
