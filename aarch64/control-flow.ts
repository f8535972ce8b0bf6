/**
 * Where control goes after an A64 instruction, decoded from its word. Arm ARM C4.1.93 "Branches,
 * Exception Generating and System instructions".
 */

/** What an instruction does to control. */
export const Flow = {
  /** Falls through to the next instruction. */
  NEXT: 0,
  /** B, by {@link branchOffset}. */
  JUMP: 1,
  /**
   * B.cond, BC.cond, CBZ, CBNZ, TBZ, TBNZ and CB<cc>: by {@link branchOffset}, or falls through.
   */
  CONDITIONAL: 2,
  /** BL. */
  CALL: 3,
  /** BLR, and the forms that authenticate. */
  CALL_REGISTER: 4,
  /** BR, and the forms that authenticate. */
  JUMP_REGISTER: 5,
  /** RET. */
  RETURN: 6,
  /** RETAA, RETAB. */
  RETURN_AUTH: 7,
  /** ERET, DRPS. */
  EXCEPTION_RETURN: 8,
  /** BRK. */
  BREAK: 9,
  /** SVC, HVC, SMC: an exception handler runs, then returns to the next instruction. */
  SUPERVISOR: 10,
  /** HLT, DCPS, UDF: execution does not continue. */
  STOP: 11,
  /** RETAASPPC, RETABSPPC: a return whose authentication is not modelled. */
  RETURN_AUTH_PC: 12,
} as const;

/** The {@link Flow} of an instruction word. */
export function flowOf(word: number): number {
  // op0 (bits 28:25) is 101x for all but UDF.
  if (((word >>> 26) & 7) !== 5) return word >>> 16 === 0 ? Flow.STOP : Flow.NEXT;
  switch (word >>> 29) {
    case 0:
      return Flow.JUMP;
    case 4:
      return Flow.CALL;
    case 1:
    case 5:
      return Flow.CONDITIONAL;
    case 2:
      if (((word >>> 25) & 1) !== 0) return Flow.NEXT;
      return ((word >>> 24) & 1) === 0 ? Flow.CONDITIONAL : Flow.RETURN_AUTH_PC;
    case 3:
      // CB<cc>: compare and branch of FEAT_CMPBR.
      return ((word >>> 25) & 1) === 0 ? Flow.CONDITIONAL : Flow.NEXT;
    case 7:
      return Flow.NEXT;
    default:
      return systemFlow(word);
  }
}

function systemFlow(word: number): number {
  const top = word >>> 24;
  if (top === 0xd4) {
    const opc = (word >>> 21) & 7;
    if (opc === 0) return Flow.SUPERVISOR;
    return opc === 1 ? Flow.BREAK : Flow.STOP;
  }
  if (top !== 0xd6 && top !== 0xd7) return Flow.NEXT;
  const opc = (word >>> 21) & 15;
  switch (opc & 7) {
    case 0:
      return Flow.JUMP_REGISTER;
    case 1:
      return Flow.CALL_REGISTER;
    case 2:
      return ((word >>> 10) & 0x3f) === 0 ? Flow.RETURN : Flow.RETURN_AUTH;
    default:
      return Flow.EXCEPTION_RETURN;
  }
}

/** Offset of a JUMP's, CALL's or CONDITIONAL's target from the instruction, in signed bytes. */
export function branchOffset(word: number): number {
  const top = word >>> 29;
  if (top === 0 || top === 4) return ((word << 6) >> 6) * 4;
  // TBZ and TBNZ: imm14.
  if (((word >>> 25) & 0x3f) === 0x1b) return ((word << 13) >> 18) * 4;
  // CB<cc>: imm9.
  if (top === 3) return ((word << 18) >> 23) * 4;
  return ((word << 8) >> 13) * 4;
}

/** Number of the register that a JUMP_REGISTER, CALL_REGISTER or RETURN branches to. */
export function branchRegister(word: number): number {
  return (word >>> 5) & 31;
}

/** Whether the word is BTI j or BTI jc: an indirect jump may land there. */
export function isJumpPad(word: number): boolean {
  return (word & 0xffffff3f) >>> 0 === 0xd503241f && (word & 0x80) !== 0;
}

/**
 * Whether a condition holds (Arm ARM C1.2.4).
 * @param condition 0..15, the `cond` field
 * @param pstate NZCV in bits 31:28
 */
export function conditionHolds(condition: number, pstate: number): boolean {
  const n = (pstate >>> 31) & 1;
  const z = (pstate >>> 30) & 1;
  const c = (pstate >>> 29) & 1;
  const v = (pstate >>> 28) & 1;
  let holds: boolean;
  switch (condition >> 1) {
    case 0:
      holds = z === 1;
      break;
    case 1:
      holds = c === 1;
      break;
    case 2:
      holds = n === 1;
      break;
    case 3:
      holds = v === 1;
      break;
    case 4:
      holds = c === 1 && z === 0;
      break;
    case 5:
      holds = n === v;
      break;
    case 6:
      holds = n === v && z === 0;
      break;
    default:
      return true;
  }
  return (condition & 1) === 1 ? !holds : holds;
}
