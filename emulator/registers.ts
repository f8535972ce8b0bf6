/**
 * The register file of one AArch64 CPU at EL1, as a typed array that the engine reads and writes in
 * one batch. Every register is a pair of 32-bit words (low, high) at `words[2 * index]`.
 *
 * Arm ARM (DDI 0487) B1.2 "Registers in AArch64 Execution state", D19 for the system registers.
 */
import type { Address } from '../base/address.js';

/** Index of a register in a {@link RegisterFile}; X0..X30 are 0..30. */
export const Reg = {
  X0: 0,
  X1: 1,
  X2: 2,
  X3: 3,
  X16: 16,
  X17: 17,
  X19: 19,
  X20: 20,
  X29: 29,
  X30: 30,
  SP: 31,
  PC: 32,
  PSTATE: 33,
  ELR_EL1: 34,
  SPSR_EL1: 35,
  ESR_EL1: 36,
  SP_EL0: 37,
} as const;

/** Registers that every step reads: X0..X30, SP, PC, PSTATE. */
export const GENERAL_REGISTERS = 34;
/** All registers of the file: the general ones and the EL1 system registers above. */
export const REGISTER_COUNT = 38;

let files = 0;

/**
 * The registers of one CPU. `words` is what the engine fills; 64-bit values are (low, high) pairs.
 */
export class RegisterFile {
  /** Number of this file, counted from 0. Engines key their transfer buffers by it. */
  readonly id = files++;
  /** Little-endian words, two per register; length `2 * REGISTER_COUNT`. */
  readonly words = new Uint32Array(2 * REGISTER_COUNT);

  /** The register as an {@link Address} (a signed 64-bit integer in a Number). */
  get(index: number): Address {
    return (
      ((this.words[2 * index + 1] as number) | 0) * 4294967296 + (this.words[2 * index] as number)
    );
  }

  /** Set a register from an {@link Address} or any integer within 2^53. */
  set(index: number, value: Address): void {
    this.words[2 * index] = value;
    this.words[2 * index + 1] = Math.floor(value / 4294967296);
  }

  /** Copy all registers from another file. */
  copyFrom(other: RegisterFile): void {
    this.words.set(other.words);
  }

  /**
   * The first general register, in the order of {@link Reg}, that differs from the other file; -1
   * when none does.
   * @param count how many registers to compare, starting at X0
   */
  firstDifference(other: RegisterFile, count: number = GENERAL_REGISTERS): number {
    const a = this.words;
    const b = other.words;
    for (let i = 0; i < 2 * count; i++) {
      if (a[i] !== b[i]) return i >> 1;
    }
    return -1;
  }
}

/** Name of a register as an assembler writes it (`x0`, `sp`, `elr_el1`). */
export function registerName(index: number): string {
  if (index <= 30) return `x${index}`;
  return ['sp', 'pc', 'pstate', 'elr_el1', 'spsr_el1', 'esr_el1', 'sp_el0'][index - 31] ?? '?';
}

/**
 * System registers that code at EL1 can write and that a {@link RegisterFile} does not hold, in the
 * order of `Engine.readSystem`. The two thread ID registers of EL0 are among them because the
 * vector's overflow test uses them.
 */
export const SYSTEM_REGISTERS = [
  'vbar_el1',
  'tpidr_el1',
  'cpacr_el1',
  'tpidr_el0',
  'tpidrro_el0',
  'far_el1',
  'fpcr',
  'fpsr',
] as const;
export type SystemRegister = (typeof SYSTEM_REGISTERS)[number];

/** Bits of PSTATE and SPSR_EL1 (Arm ARM C5.2.19 SPSR_EL1). */
export const Pstate = {
  F: 1 << 6,
  I: 1 << 7,
  A: 1 << 8,
  D: 1 << 9,
  DAIF: 0xf << 6,
  /** Illegal execution state. */
  IL: 1 << 20,
  /** M[4:0]: the exception level and its SP. */
  MODE: 0x1f,
  /** Condition flags N, Z, C, V. */
  NZCV: 0xf << 28,
  /** M[3:0] of EL1 using SP_EL1. */
  EL1H: 0x5,
} as const;
