/** What is put into the memory of a kernel that was not booted, before anything runs. */
import type { Address } from '../base/address.js';

/** A word of code that is to be in place. */
export interface CodeWord {
  readonly address: Address;
  readonly word: number;
}

/** Memory beside the image's segments. */
export interface KernelRegion {
  readonly name: string;
  /** A multiple of the page size. */
  readonly low: Address;
  readonly size: number;
  /** Code, read-only for the guest; otherwise data that can be written. */
  readonly code: boolean;
  /** What it begins with; the rest is zero. */
  readonly bytes?: Uint8Array;
}

/**
 * What a kernel would have been given by its boot, put into memory directly before anything runs.
 * The built-in guest kernel needs none of it.
 */
export interface KernelState {
  readonly regions: readonly KernelRegion[];
  /** 64-bit words of data, stored in this order. */
  readonly words: readonly { readonly address: Address; readonly value: Address }[];
  /** Instruction words. */
  readonly code: readonly CodeWord[];
}

/** Where the state and our callbacks are; part of a kernel image that was not booted. */
export interface TracerPlaces {
  readonly state: Address;
  /** Room for an instruction that is stepped out of line, and the breakpoint after it. */
  readonly instructionSlot: Address;
  /** Function graph's callbacks at the entry and the return of a traced function. */
  readonly graphEntry: Address;
  readonly graphReturn: Address;
  /** A user's handler of a probe: returns 0. */
  readonly probeHandler: Address;
}
