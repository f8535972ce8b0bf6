/**
 * What a tracer of a kernel that was not booted needs in memory: the state that registering it, and creating the
 * task, would have made. docs/real-kernels.md lists it.
 */
import type { Address } from '../base/address.js';
import type { CodeWord } from './patch-site.js';

/** Bytes of memory that the state takes. */
export const TRACER_STATE_SIZE = 0x2000;

/** What is to be in place. */
export interface TracerSetup {
  /** Words of data of 64 bits, and of 32; a reset of the machine forgets them. */
  readonly words: readonly { readonly address: Address; readonly value: Address }[];
  readonly words32: readonly { readonly address: Address; readonly value: number }[];
  /** Words of code, and of data that the kernel cannot write. */
  readonly code: readonly CodeWord[];
  /** Probed addresses, each with the instruction that its breakpoint stands for. */
  readonly breakpoints: ReadonlyMap<Address, number>;
}

/** Where the state and our callbacks are; part of a kernel image that was not booted. */
export interface TracerPlaces {
  readonly state: Address;
  /** Room for an instruction that is stepped out of line, and the breakpoint behind it. */
  readonly instructionSlot: Address;
  /** Function graph's callbacks at the entry and the return of a traced function. */
  readonly graphEntry: Address;
  readonly graphReturn: Address;
  /** A user's handler of a probe: returns 0. */
  readonly probeHandler: Address;
}
