/**
 * Instruction words that identify places in kernel code, or that are written into it. A word is an
 * unsigned 32-bit integer. Encodings: Arm ARM C6.2, in each instruction's own section.
 */
import type { Address } from '../base/address.js';

export const NOP = 0xd503201f;
export const WFE = 0xd503205f;
export const WFI = 0xd503207f;
/** `ret`, through x30. */
export const RET = 0xd65f03c0;
export const ERET = 0xd69f03e0;
/** `bti c`: where an indirect call may land. */
export const BTI_C = 0xd503245f;
export const PACIASP = 0xd503233f;
export const AUTIASP = 0xd50323bf;
/** `mov x9, x30`: saves the return address for ftrace at a function's entry. */
export const MOV_X9_X30 = 0xaa1e03e9;
/** `mov x29, sp`, an alias of `add x29, sp, #0`. */
export const MOV_X29_SP = 0x910003fd;

/** `brk #immediate`. @param immediate 16 bits, unsigned */
export function brkWord(immediate: number): number {
  return (0xd4200000 | (immediate << 5)) >>> 0;
}

/** `b` from one address to another; the two must be within 128 MiB. */
export function branchWord(from: Address, to: Address): number {
  return (0x14000000 | imm26(from, to)) >>> 0;
}

/** `bl` from one address to another; the two must be within 128 MiB. */
export function branchAndLinkWord(from: Address, to: Address): number {
  return (0x94000000 | imm26(from, to)) >>> 0;
}

function imm26(from: Address, to: Address): number {
  return ((to - from) / 4) & 0x3ffffff;
}

/** `sub sp, sp, #imm` without a shift; {@link immediate12} is the number of bytes. */
export function isSubSp(word: number): boolean {
  return (word & 0xffc003ff) >>> 0 === 0xd10003ff;
}

/** `add sp, sp, #imm` without a shift. */
export function isAddSp(word: number): boolean {
  return (word & 0xffc003ff) >>> 0 === 0x910003ff;
}

/** `add x29, sp, #imm` without a shift, `mov x29, sp` included. */
export function isSetFp(word: number): boolean {
  return (word & 0xffc003ff) >>> 0 === MOV_X29_SP;
}

/** The immediate of an ADD or SUB (immediate), bits 21:10. */
export function immediate12(word: number): number {
  return (word >>> 10) & 0xfff;
}

/** The offset in bytes of an LDP or STP of X registers: imm7 in bits 21:15, scaled by 8. */
export function pairOffset(word: number): number {
  return ((word << 10) >> 25) * 8;
}
