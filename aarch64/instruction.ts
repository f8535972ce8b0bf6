/**
 * The instruction classes that the CPU driver and ground truth care about: those that transfer
 * control, and those that the engine does not execute the way a kernel needs. Arm ARM C4.1 "A64
 * instruction set encoding".
 */

/** Class of an instruction word; OTHER for everything that needs no special treatment. */
export const InstructionClass = {
  OTHER: 0,
  /** BL: a call. */
  BL: 1,
  /** BLR, BLRAA and its variants: an indirect call. */
  BLR: 2,
  /** RET, RETAA, RETAB. */
  RET: 3,
  /** BR: an indirect jump. */
  BR: 4,
  ERET: 5,
  /** BRK #imm16. */
  BRK: 6,
  SVC: 7,
  HVC: 8,
  SMC: 9,
  /** MSR SP_EL0, Xt: `current` changes. */
  MSR_SP_EL0: 10,
  /** A pointer-authentication hint, which is a NOP on the emulated CPU. */
  PAUTH_HINT: 11,
  /** RETAA or RETAB: undefined on the emulated CPU, so the driver executes it. */
  RET_AUTH: 12,
  WFI: 13,
} as const;

/** The {@link InstructionClass} of an A64 instruction word. */
export function classify(word: number): number {
  const op = word >>> 0;
  if (op >>> 26 === 0x25) return InstructionClass.BL;
  if (op >>> 25 === 0x6b) return classifyBranchRegister(op);
  if (op >>> 24 === 0xd4) return classifyException(op);
  if (op >>> 12 === 0xd5032) return classifyHint(op);
  // MSR (register) S3_0_C4_C1_0: SP_EL0.
  if ((op & 0xffffffe0) >>> 0 === 0xd5184100) return InstructionClass.MSR_SP_EL0;
  return InstructionClass.OTHER;
}

/** Unconditional branch (register), Arm ARM C4.1.66: opc in bits 24:21, op3 (PAC) in 15:10. */
function classifyBranchRegister(op: number): number {
  switch ((op >>> 21) & 0xf) {
    case 0:
    case 8:
      return InstructionClass.BR;
    case 1:
    case 9:
      return InstructionClass.BLR;
    case 2:
      return ((op >>> 10) & 0x3f) === 0 ? InstructionClass.RET : InstructionClass.RET_AUTH;
    case 4:
      return InstructionClass.ERET;
    default:
      return InstructionClass.OTHER;
  }
}

/** Exception generation, Arm ARM C4.1.66: opc in bits 23:21, LL in 1:0. */
function classifyException(op: number): number {
  const opc = (op >>> 21) & 7;
  if (opc === 1) return InstructionClass.BRK;
  if (opc !== 0) return InstructionClass.OTHER;
  switch (op & 3) {
    case 1:
      return InstructionClass.SVC;
    case 2:
      return InstructionClass.HVC;
    case 3:
      return InstructionClass.SMC;
    default:
      return InstructionClass.OTHER;
  }
}

/**
 * Hints, Arm ARM C4.1.66: CRm in bits 11:8, op2 in 7:5. PAC hints are CRm 0 op2 7, CRm 1 and CRm 3.
 */
function classifyHint(op: number): number {
  const crm = (op >>> 8) & 0xf;
  if (crm === 1 || crm === 3) return InstructionClass.PAUTH_HINT;
  if (crm === 0 && ((op >>> 5) & 7) === 7) return InstructionClass.PAUTH_HINT;
  if (crm === 0 && ((op >>> 5) & 7) === 3) return InstructionClass.WFI;
  return InstructionClass.OTHER;
}

/** The immediate of BRK, SVC, HVC or SMC: bits 20:5. */
export function exceptionImmediate(word: number): number {
  return (word >>> 5) & 0xffff;
}

/** Rt of an MSR: bits 4:0. */
export function targetRegister(word: number): number {
  return word & 0x1f;
}

/** Whether a bit of an instruction word is set. */
export function bit(word: number, index: number): boolean {
  return ((word >>> index) & 1) !== 0;
}
