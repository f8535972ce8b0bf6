/**
 * Numbers and layouts of Unicorn's C API that both backends use, from `unicorn/unicorn.h` and
 * `unicorn/arm64.h` of 2.0.1. The values are the same in 2.1.4, the release inside
 * `@alexaltea/unicorn-js`.
 */
import { GENERAL_REGISTERS, Reg, REGISTER_COUNT } from './registers.js';

export const UC_ARCH_ARM64 = 2;
export const UC_MODE_ARM = 0;

/** uc_arm64_reg numbers. */
export const UC_REG = {
  X0: 199,
  X29: 1,
  X30: 2,
  SP: 4,
  Q0: 104,
  PC: 260,
  CPACR_EL1: 261,
  TPIDR_EL0: 262,
  TPIDRRO_EL0: 263,
  TPIDR_EL1: 264,
  PSTATE: 265,
  ELR_EL1: 267,
  SP_EL0: 270,
  ESR_EL1: 277,
  FAR_EL1: 281,
  VBAR_EL1: 287,
  CP_REG: 290,
  FPCR: 291,
  FPSR: 292,
} as const;

/** An address at which nothing is mapped and nothing runs, for `until` of uc_emu_start. */
export const NEVER = -4096;

/** CPACR_EL1.FPEN = 0b11: FP and SIMD do not trap (Arm ARM D19.2.34). */
export const CPACR_NO_FP_TRAP = 3 << 20;

/**
 * Bytes of struct uc_arm64_cp_reg: five u32 (crn, crm, op0, op1, op2), padding, u64 val. The
 * layout is the same on 64-bit hosts and in 32-bit WebAssembly, where a u64 is aligned to 8 too.
 */
export const CP_REG_SIZE = 32;
/** Byte offset of `val`. */
export const CP_REG_VALUE = 24;
/** SPSR_EL1 is S3_0_C4_C0_0 (Arm ARM D19.2): crn, crm, op0, op1, op2. */
export const SPSR_EL1_ENCODING = [4, 0, 3, 0, 0] as const;

/**
 * The engine's register number for an index of `RegisterFile`. SPSR_EL1 has no number of its own:
 * it is reached as CP_REG, whose value is a struct uc_arm64_cp_reg.
 */
export function unicornRegister(index: number): number {
  if (index < 29) return UC_REG.X0 + index;
  switch (index) {
    case Reg.X29:
      return UC_REG.X29;
    case Reg.X30:
      return UC_REG.X30;
    case Reg.SP:
      return UC_REG.SP;
    case Reg.PC:
      return UC_REG.PC;
    case Reg.PSTATE:
      return UC_REG.PSTATE;
    case Reg.ELR_EL1:
      return UC_REG.ELR_EL1;
    case Reg.ESR_EL1:
      return UC_REG.ESR_EL1;
    case Reg.SP_EL0:
      return UC_REG.SP_EL0;
    default:
      return UC_REG.CP_REG;
  }
}

/** The engine's register numbers of `SYSTEM_REGISTERS`. */
export const SYSTEM_REGISTER_NUMBERS: readonly number[] = [
  UC_REG.VBAR_EL1,
  UC_REG.TPIDR_EL1,
  UC_REG.CPACR_EL1,
  UC_REG.TPIDR_EL0,
  UC_REG.TPIDRRO_EL0,
  UC_REG.FAR_EL1,
  UC_REG.FPCR,
  UC_REG.FPSR,
];

const range = (first: number, end: number): readonly number[] =>
  Array.from({ length: end - first }, (_, i) => first + i);

/** The indices in a `RegisterFile`, ascending, by `RegisterSet`. Not every set is contiguous. */
export const REGISTER_SETS: readonly (readonly number[])[] = [
  range(Reg.X0, GENERAL_REGISTERS),
  range(Reg.X0, REGISTER_COUNT),
  range(Reg.PC, Reg.SPSR_EL1 + 1),
  [Reg.X0, Reg.X29, Reg.X30, Reg.SP, Reg.PC],
  [Reg.X0, Reg.X1, Reg.X2, Reg.X3, Reg.X29, Reg.X30, Reg.SP],
];

/** Formats the packed number that uc_version returns as `major.minor.patch`. */
export function formatVersion(packed: number): string {
  return `${packed >>> 24}.${(packed >>> 16) & 0xff}.${(packed >>> 8) & 0xff}`;
}
