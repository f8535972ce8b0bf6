/**
 * Constants of the SFrame format, for all versions. Section numbers are those of the SFrame spec,
 * draft of 2026-10-21.
 */

/** Spec section 2.1: `sfp_magic`, as read in the section's own byte order. */
export const SFRAME_MAGIC = 0xdee2;
/** What `sfp_magic` looks like when the section has the other byte order. */
export const SFRAME_MAGIC_SWAPPED = 0xe2de;

/** Spec section 2.1.3: functions are sorted by address. All versions. */
export const F_FDE_SORTED = 0x1;
/** Every function keeps a frame pointer. Versions 1 and 2. */
export const F_FRAME_POINTER = 0x2;
/** A function's start is relative to the field that holds it. Versions 2 (errata 1) and 3. */
export const F_FDE_FUNC_START_PCREL = 0x4;

/** The flags each version defines; all others must be zero. */
export const FLAGS_DEFINED = { 1: 0x3, 2: 0x7, 3: 0x5 } as const;

/** Spec section 2.2.1. */
export const ABI_AARCH64_BIG = 1;
export const ABI_AARCH64_LITTLE = 2;
export const ABI_AMD64_LITTLE = 3;
export const ABI_S390X_BIG = 4;

/** Spec section 2.2: size in bytes of the header without the auxiliary header. */
export const HEADER_SIZE = 28;

/** Size in bytes of one entry of the FDE sub-section: spec section 1.3 for V1 and V2, 2.3.1. */
export const FDE_SIZE = { 1: 17, 2: 20, 3: 16 } as const;
/** Spec section 2.3.2: size in bytes of the V3 attribute before a function's rows. */
export const FDE_ATTRIBUTE_SIZE = 5;

/** Spec section 2.3.3, `sfda_func_info` (the same bits in V1 and V2, without the signal bit). */
export const INFO_FRE_TYPE = 0x0f;
export const INFO_PCTYPE_MASK = 0x10;
export const INFO_PAUTH_KEY_B = 0x20;
export const INFO_SIGNAL = 0x80;

/** Spec section 2.3.3, `sfda_func_info2`. */
export const INFO2_FDE_TYPE = 0x1f;
export const FDE_TYPE_DEFAULT = 0;
export const FDE_TYPE_FLEX = 1;

/** Spec section 2.3.3.3: the row's start takes `1 << fre_type` bytes. */
export const FRE_TYPE_ADDR4 = 2;

/** Spec section 2.4.1: the row's info byte. Data words take `1 << size` bytes. */
export const ROW_BASE_IS_SP = 0x01;
export const ROW_MANGLED_RA = 0x80;
export const ROW_DATAWORD_4B = 2;

/** How many data words follow the info byte `info`: 0..15. */
export function dataWordCount(info: number): number {
  return (info >> 1) & 0xf;
}

/** The size code of the data words: 0, 1 or 2 for 1, 2 or 4 bytes; 3 is undefined. */
export function dataWordSizeCode(info: number): number {
  return (info >> 5) & 3;
}

/** Spec section 3.2: the control data word of a flexible FDE. */
export const CONTROL_REG = 0x1;
export const CONTROL_DEREF = 0x2;
export const CONTROL_UNUSED = 0x4;
export const CONTROL_REGNUM_SHIFT = 3;
