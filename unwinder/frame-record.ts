/**
 * Layout of what the unwinder reads from a stack: AAPCS64 frame records, the kernel's metadata
 * records (asm/stacktrace/frame.h, v7.3-rc7) and struct pt_regs (asm/ptrace.h, v7.3-rc7). Sizes and
 * offsets are in bytes.
 */

/** {fp, lr}: two u64 (AAPCS64 section 6.4.6). */
export const FRAME_RECORD_SIZE = 16;

/** {0, 0, type}: a record whose fp and lr are both zero is followed by its type, a u64. */
export const METADATA_RECORD_SIZE = 24;
/** Offset of the type within a metadata record. */
export const METADATA_TYPE = 16;

/** The end of a complete trace; only valid as task_pt_regs(task)->stackframe. */
export const METADATA_FINAL = 1;
/** The record is the `stackframe` of a struct pt_regs. */
export const METADATA_PT_REGS = 2;

export const PT_REGS_SIZE = 320;
/** Offset of `stackframe` in struct pt_regs. */
export const PT_REGS_STACKFRAME = 296;

/**
 * Register numbers in struct pt_regs: 0..30 for x0..x30, then 31 for sp and 32 for pc. Register `n`
 * starts at 32-bit word `2 * n`.
 */
export const PT_REGS_FP = 29;
export const PT_REGS_LR = 30;
export const PT_REGS_SP = 31;
export const PT_REGS_PC = 32;
