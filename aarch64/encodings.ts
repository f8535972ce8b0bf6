/**
 * The instruction words that kernel code is recognised by, or that a host writes into it. Arm ARM
 * C6.2, the instruction's own section; a word is an unsigned 32-bit integer.
 */
import type { Address } from '../base/address.js';

export const NOP = 0xd503201f;
export const WFE = 0xd503205f;
export const WFI = 0xd503207f;
/** `ret`, by x30. */
export const RET = 0xd65f03c0;
export const ERET = 0xd69f03e0;
/** `bti c`: where an indirect call may land. */
export const BTI_C = 0xd503245f;
export const PACIASP = 0xd503233f;
export const AUTIASP = 0xd50323bf;
/** `mov x9, x30`: what saves the return address for ftrace. */
export const MOV_X9_X30 = 0xaa1e03e9;
/** `mov x29, sp`, an ADD whose immediate is 0. */
export const MOV_X29_SP = 0x910003fd;

/** `brk #immediate`, 16 bits. */
export function brkWord(immediate: number): number {
  return (0xd4200000 | (immediate << 5)) >>> 0;
}

/** `b` from one address to another, within 128 MiB. */
export function branchWord(from: Address, to: Address): number {
  return (0x14000000 | imm26(from, to)) >>> 0;
}

/** `bl` from one address to another, within 128 MiB. */
export function branchAndLinkWord(from: Address, to: Address): number {
  return (0x94000000 | imm26(from, to)) >>> 0;
}

function imm26(from: Address, to: Address): number {
  return ((to - from) / 4) & 0x3ffffff;
}

/** `sub sp, sp, #imm` without a shift: {@link immediate12} bytes. */
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

/** The offset of a load or store of a pair of X registers, imm7 in bits 21:15, in bytes. */
export function pairOffset(word: number): number {
  return ((word << 10) >> 25) * 8;
}
