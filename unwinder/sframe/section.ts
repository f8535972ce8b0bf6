/** A decoded SFrame section: fully checked, with its rows in typed arrays. */

import { type Address } from '../../base/address.js';
import { type RuleArrays } from '../unwind-rule.js';

/** The versions that can be decoded. */
export type SFrameVersion = 1 | 2 | 3;

/** The SFrame header. SFrame spec section 2.2. */
export interface SFrameHeader {
  readonly version: SFrameVersion;
  /** `sfp_flags`: bits {@link F_FDE_SORTED} and others of format.ts. */
  readonly flags: number;
  /** `sfh_abi_arch`; always 2, AArch64 little-endian. */
  readonly abi: number;
  readonly cfaFixedFpOffset: number;
  readonly cfaFixedRaOffset: number;
  /** Size in bytes of the auxiliary header. */
  readonly auxHeaderLength: number;
  readonly functionCount: number;
  readonly rowCount: number;
  /** Byte offset in the section of the FDE sub-section. */
  readonly functionsOffset: number;
  /** Byte offset in the section of the FRE sub-section. */
  readonly rowsOffset: number;
  /** Length in bytes of the FRE sub-section. */
  readonly rowsLength: number;
}

/** The function descriptor entries, in table order, as parallel arrays. SFrame spec section 2.3. */
export interface SFrameFunctions {
  readonly count: number;
  /** Address of the function. */
  readonly start: Float64Array;
  /** Size in bytes; 0 for a function that covers no PC. */
  readonly size: Uint32Array;
  /** Index of its first row; its rows are consecutive. */
  readonly firstRow: Uint32Array;
  readonly rowCount: Uint32Array;
  /** `sfda_func_info` of V3, `sfde_func_info` of V1 and V2: bit layouts in format.ts. */
  readonly info: Uint8Array;
  /** `sfda_func_info2` of V3; 0 in V1 and V2. */
  readonly info2: Uint8Array;
  /** Size in bytes of the repeated block of a MASK function; 0 in V1. */
  readonly repSize: Uint8Array;
}

/** The frame row entries of all functions as parallel arrays. SFrame spec section 2.4. */
export interface SFrameRows {
  readonly count: number;
  /** `sfre_start_address`: bytes from the start of the function (or of the repeated block). */
  readonly start: Uint32Array;
  /** Byte offset in the section of the row's info byte, which its data words follow. */
  readonly infoOffset: Uint32Array;
  /** Index into `rules`. */
  readonly rule: Uint32Array;
}

/** A decoded section, as `decodeSFrame` returns it. */
export interface SFrameSection {
  /** Address at which the section is loaded. */
  readonly address: Address;
  /** A private copy of the section. */
  readonly bytes: Uint8Array;
  readonly header: SFrameHeader;
  readonly functions: SFrameFunctions;
  readonly rows: SFrameRows;
  /** The distinct rules of the section. */
  readonly rules: RuleArrays;
  /**
   * Index into `rules` of the rule "RA undefined" that a V3 default function without rows stands
   * for (spec section 1.2); -1 when the section has no such function.
   */
  readonly outermostRule: number;
}
