/**
 * Decoded call frame information (DWARF 5 section 6.4.1), for the CFA, x29 and the return address.
 */

import { type Address } from '../../base/address.js';

/** How the CFA is found. */
export type DwarfCfa =
  /** `register + offset`. DWARF numbers: 0..30 are x0..x30, 31 is SP. Offset in signed bytes. */
  | { readonly kind: 'register'; readonly register: number; readonly offset: number }
  /** A DWARF expression, which is not evaluated. */
  | { readonly kind: 'expression' }
  /** No instruction has defined it yet. */
  | { readonly kind: 'none' };

/** How the caller's value of a register is found. */
export type DwarfRegister =
  /** No rule was given: by the AArch64 ABI x29 and x30 then still hold the caller's value. */
  | { readonly kind: 'unspecified' }
  | { readonly kind: 'undefined' }
  | { readonly kind: 'same' }
  /** `*(CFA + offset)`. */
  | { readonly kind: 'offset'; readonly offset: number }
  /** `CFA + offset` itself. */
  | { readonly kind: 'val-offset'; readonly offset: number }
  | { readonly kind: 'register'; readonly register: number }
  | { readonly kind: 'expression' }
  | { readonly kind: 'val-expression' };

/** The rules from one location up to the next row. */
export interface DwarfRow {
  /** Bytes from the start of the function. */
  readonly offset: number;
  readonly cfa: DwarfCfa;
  /** x29. */
  readonly fp: DwarfRegister;
  /** The return address column, x30 unless the CIE says otherwise. */
  readonly ra: DwarfRegister;
  /** The return address is signed (RA_SIGN_STATE; DWARF for the Arm 64-bit Architecture). */
  readonly raSigned: boolean;
}

/** One function: a frame description entry after its instructions were executed. */
export interface DwarfFunction {
  /** Offset of the FDE in its section. */
  readonly entry: number;
  readonly start: Address;
  /** In bytes. */
  readonly size: number;
  /** In ascending offset order, the first at 0. Never empty. */
  readonly rows: readonly DwarfRow[];
  /** Augmentation `S`: its caller was interrupted, and did not call it. */
  readonly signalFrame: boolean;
  /** Augmentation `B`: signed with key B. */
  readonly pauthKeyB: boolean;
}

/** The row in force `offset` bytes into `func`; undefined outside it. */
export function rowAt(func: DwarfFunction, offset: number): DwarfRow | undefined {
  if (offset < 0 || offset >= func.size) return undefined;
  let low = 0;
  let high = func.rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((func.rows[middle] as DwarfRow).offset <= offset) low = middle + 1;
    else high = middle;
  }
  return func.rows[low - 1];
}
