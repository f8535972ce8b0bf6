/**
 * Taking an exception to EL1: what the hardware does between the interrupted instruction and the
 * first instruction of the vector. Unicorn only reports exceptions, so it is done here. Arm ARM
 * D1.3.5 "Exception entry" (AArch64.TakeException) and D1.3.1.5 for the vector offsets.
 */
import type { Address } from '../base/address.js';
import { Pstate, Reg, type RegisterFile } from './registers.js';

/** Offsets from VBAR_EL1 of the vectors for the current EL with SP_ELx. */
export const VectorOffset = {
  SYNC: 0x200,
  IRQ: 0x280,
  FIQ: 0x300,
  SERROR: 0x380,
} as const;

/** Exception classes, ESR_EL1.EC (Arm ARM D19.2.40). */
export const ExceptionClass = {
  SVC64: 0x15,
  BRK64: 0x3c,
  SERROR: 0x2f,
} as const;

/** ESR_EL1 for an exception class and its syndrome, with IL set (a 32-bit instruction). */
export function syndrome(exceptionClass: number, iss: number): number {
  return ((exceptionClass << 26) | (1 << 25) | iss) >>> 0;
}

/**
 * Turn the register file of an interrupted CPU into that of the same CPU at its vector: ELR_EL1 is
 * the PC to return to, SPSR_EL1 the interrupted PSTATE, and D, A, I and F are all masked.
 *
 * @param vectorBase VBAR_EL1
 * @param offset one of {@link VectorOffset}
 * @param esr ESR_EL1, for synchronous exceptions and SErrors; interrupts leave it unchanged
 */
export function takeException(
  registers: RegisterFile,
  vectorBase: Address,
  offset: number,
  esr?: number,
): void {
  const words = registers.words;
  words[2 * Reg.ELR_EL1] = words[2 * Reg.PC] as number;
  words[2 * Reg.ELR_EL1 + 1] = words[2 * Reg.PC + 1] as number;
  words[2 * Reg.SPSR_EL1] = words[2 * Reg.PSTATE] as number;
  words[2 * Reg.SPSR_EL1 + 1] = 0;
  if (esr !== undefined) {
    words[2 * Reg.ESR_EL1] = esr;
    words[2 * Reg.ESR_EL1 + 1] = 0;
  }
  maskExceptions(registers);
  registers.set(Reg.PC, vectorBase + offset);
}

/** Set PSTATE as exception entry to EL1 does: flags kept, D, A, I and F set, EL1h. */
export function maskExceptions(registers: RegisterFile): void {
  const pstate = registers.words[2 * Reg.PSTATE] as number;
  registers.words[2 * Reg.PSTATE] = ((pstate & Pstate.NZCV) | Pstate.DAIF | Pstate.EL1H) >>> 0;
  registers.words[2 * Reg.PSTATE + 1] = 0;
}

/**
 * Correct the state that the engine leaves after executing an ERET. Its default CPU has an EL3
 * whose SCR_EL3.RW is 0; it therefore takes EL1 to be AArch32, and every ERET to be an illegal
 * return. PC, flags and masks still come from ELR_EL1 and SPSR_EL1 as they should, but PSTATE.IL is
 * set. (With RW set, the engine refuses kernel addresses while the MMU is off.)
 *
 * @returns false when SPSR_EL1 does not ask for EL1h: then the return really was illegal
 */
export function completeExceptionReturn(registers: RegisterFile): boolean {
  const spsr = registers.words[2 * Reg.SPSR_EL1] as number;
  const pstate = registers.words[2 * Reg.PSTATE] as number;
  if ((spsr & Pstate.MODE) !== Pstate.EL1H || (spsr & Pstate.IL) !== 0) return false;
  registers.words[2 * Reg.PSTATE] = (pstate & ~Pstate.IL) >>> 0;
  return true;
}
