/** Memory contents that stand in for the boot of a kernel. */
import type { Address } from '../base/address.js';

/** A word of code, and where it goes. */
export interface CodeWord {
  readonly address: Address;
  readonly word: number;
}

/** Memory outside the image's segments. */
export interface KernelRegion {
  readonly name: string;
  /** A multiple of the page size. */
  readonly low: Address;
  readonly size: number;
  /** Code, which the guest cannot write; otherwise writable data. */
  readonly code: boolean;
  /** Its first bytes; the rest is zero. */
  readonly bytes?: Uint8Array;
}

/**
 * The memory that a kernel's boot would have prepared. It is put in place before anything runs. The
 * built-in guest kernel needs none of it.
 */
export interface KernelState {
  readonly regions: readonly KernelRegion[];
  /** 64-bit words of data, stored in this order. */
  readonly words: readonly { readonly address: Address; readonly value: Address }[];
  /** Instruction words. */
  readonly code: readonly CodeWord[];
}

/** Where the tracers' state and our callbacks are. Part of a kernel image that was not booted. */
export interface TracerPlaces {
  readonly state: Address;
  /** Room for an instruction that is stepped out of line, and for the breakpoint after it. */
  readonly instructionSlot: Address;
  /** Function graph's callbacks at the entry and the return of a traced function. */
  readonly graphEntry: Address;
  readonly graphReturn: Address;
  /** A probe's handler that does nothing and returns 0. */
  readonly probeHandler: Address;
}
