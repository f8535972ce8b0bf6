/**
 * The few A64 instructions of the bench's own guest programs (Arm ARM C6.2), because a user's
 * machine has no cross toolchain. All offsets are in instructions.
 */

import { branchAndLinkWord, branchWord } from '../aarch64/encodings.js';

/** `stp x29, x30, [sp, #-32]!` */
export const PUSH_RECORD = 0xa9be7bfd;
/** `ldp x29, x30, [sp], #32` */
export const POP_RECORD = 0xa8c27bfd;
/** `add x0, x0, #1` */
export const COUNT = 0x91000400;
/** `str x0, [sp, #16]` */
export const STORE = 0xf9000be0;
/** `ldr x1, [sp, #16]` */
export const LOAD = 0xf9400be1;
/** `mov sp, x0` */
export const SET_SP = 0x9100001f;
/** `mov x29, xzr` and `mov x30, xzr` */
export const CLEAR_FP = 0xaa1f03fd;
export const CLEAR_LR = 0xaa1f03fe;

/** `b` over `offset` instructions. */
export function branch(offset: number): number {
  return branchWord(0, 4 * offset);
}

/** `bl` over `offset` instructions. */
export function call(offset: number): number {
  return branchAndLinkWord(0, 4 * offset);
}

/** `movz x0, #half, lsl #16` */
export function moveHigh(half: number): number {
  return (0xd2a00000 | (half << 5)) >>> 0;
}
