/**
 * The SFrame step: executes the unwind rule of the PC (SFrame spec sections 3.1.2 and 3.2), with
 * the kernel's checks (v5 and v6 of the arm64 series). Every load must lie in an accessible stack.
 * Only the load of the return address consumes stack.
 */

import { PT_REGS_LR } from './frame-record.js';
import { type Policy } from './policy.js';
import { CfaBase, DWARF_SP, RecoverKind } from './unwind-rule.js';
import { stepMetadataRecord } from './walk-record-step.js';
import {
  CFA_MISALIGNED,
  CFA_SLOT_NOT_ACCESSIBLE,
  FP_BELOW_SP,
  FP_MISALIGNED,
  FP_SLOT_NOT_ACCESSIBLE,
  NO_REGISTERS,
  NO_SFRAME_ENTRY,
  OUTERMOST,
  RA_SLOT_NOT_ACCESSIBLE,
  RULE_UNSUPPORTED,
  SOURCE_FRAME,
  SOURCE_REGS_LR,
  SP_MISALIGNED,
  STEP_OK,
  STEP_OUTERMOST,
  WARN_SFRAME_WITHOUT_REGS,
} from './walk-reason.js';
import { HOW_SFRAME_LOAD, HOW_SFRAME_REGISTER } from './walk-result.js';
import { FP, PC, SLOT, SP, type UnwindTask, type WalkState } from './walk-state.js';

const BASE_SP = CfaBase.SP;
const BASE_FP = CfaBase.FP;
const UNCHANGED = RecoverKind.UNCHANGED;
const LOAD_CFA = RecoverKind.LOAD_CFA;
const UNDEFINED = RecoverKind.UNDEFINED;
const VALUE_REG = RecoverKind.VALUE_REG;
const LOAD_REG = RecoverKind.LOAD_REG;

/**
 * Steps by the SFrame rule of pc.
 * @returns STEP_OK, an end of the trace (STEP_FINAL, STEP_OUTERMOST), or a reason code; after an
 * error nothing has changed but a WARN that may be recorded
 */
export function stepSFrame(state: WalkState, task: UnwindTask, policy: Policy): number {
  const { at, stacks, rules } = state;
  if (policy.trackedSp) {
    if ((state.spLow & 7) !== 0) return SP_MISALIGNED;
  } else if (state.regsIndex < 0) {
    state.warn(WARN_SFRAME_WITHOUT_REGS);
    return NO_REGISTERS;
  }
  if ((state.fpLow & 7) !== 0) return FP_MISALIGNED;

  const rule = rules.find(at[PC] as number);
  if (rule < 0) return policy.metadataOnMiss ? stepMetadataRecord(state, task) : NO_SFRAME_ENTRY;
  const raKind = rules.raKind[rule] as number;
  if (raKind === UNDEFINED) return policy.outermostEnds ? STEP_OUTERMOST : OUTERMOST;

  const cfaOffset = rules.cfaOffset[rule] as number;
  const cfaBase = rules.cfaBase[rule] as number;
  let cfa: number;
  let cfaLow: number;
  if (cfaBase === BASE_SP) {
    cfa = at[SP] as number;
    cfaLow = state.spLow;
  } else if (cfaBase === BASE_FP) {
    cfa = at[FP] as number;
    cfaLow = state.fpLow;
    if (isBelow(cfa, at[SP] as number)) return FP_BELOW_SP;
  } else {
    const register = rules.cfaRegister[rule] as number;
    if (state.regsIndex < 0) return NO_REGISTERS;
    if (register > DWARF_SP) return RULE_UNSUPPORTED;
    cfa = registerValue(state, register);
    cfaLow = registerLow(state, register);
  }
  cfa += cfaOffset;
  cfaLow = (cfaLow + cfaOffset) | 0;
  if (rules.cfaDeref[rule] !== 0) {
    if (stacks.load(cfa) < 0) return CFA_SLOT_NOT_ACCESSIBLE;
    cfa = stacks.hi * 4294967296 + (stacks.lo >>> 0);
    cfaLow = stacks.lo;
  }
  if ((cfaLow & policy.cfaMask) !== 0) return CFA_MISALIGNED;

  // `ra` is the address of the slot that holds the return address, unless a register holds it.
  let ra = cfa + (rules.raOffset[rule] as number);
  if (raKind !== LOAD_CFA) {
    if (state.regsIndex < 0) return NO_REGISTERS;
    if (raKind === LOAD_REG)
      ra = registerRule(state, rules.raRegister[rule] as number, rules.raOffset[rule] as number);
    else if (raKind !== UNCHANGED && raKind !== VALUE_REG) return RULE_UNSUPPORTED;
  }

  // Read FP before RA is consumed: in a frame record FP is at the lower address.
  const fpKind = rules.fpKind[rule] as number;
  let fpLo = state.fpLow;
  let fpHi = 0;
  if (fpKind !== UNCHANGED) {
    const fpOffset = rules.fpOffset[rule] as number;
    if (fpKind === LOAD_CFA) {
      if (stacks.load(cfa + fpOffset) < 0) return FP_SLOT_NOT_ACCESSIBLE;
      fpLo = stacks.lo;
      fpHi = stacks.hi;
    } else {
      const register = rules.fpRegister[rule] as number;
      if (state.regsIndex < 0) return NO_REGISTERS;
      if (fpKind === LOAD_REG) {
        if (stacks.load(registerRule(state, register, fpOffset)) < 0) return FP_SLOT_NOT_ACCESSIBLE;
        fpLo = stacks.lo;
        fpHi = stacks.hi;
      } else if (fpKind === VALUE_REG && register <= DWARF_SP) {
        const low = (registerLow(state, register) >>> 0) + fpOffset;
        fpLo = low | 0;
        fpHi = registerHigh(state, register) + Math.floor(low / 4294967296);
      } else {
        return RULE_UNSUPPORTED;
      }
    }
  }

  if (raKind === UNCHANGED) {
    const { regs, regsIndex } = state;
    state.setPc(
      regs[regsIndex + 2 * PT_REGS_LR + 1] as number,
      regs[regsIndex + 2 * PT_REGS_LR] as number,
    );
    at[SLOT] = NaN;
    state.source = SOURCE_REGS_LR;
    state.how = HOW_SFRAME_REGISTER;
  } else if (raKind === VALUE_REG) {
    const register = rules.raRegister[rule] as number;
    if (register > DWARF_SP) return RULE_UNSUPPORTED;
    const low = (registerLow(state, register) >>> 0) + (rules.raOffset[rule] as number);
    state.setPc(registerHigh(state, register) + Math.floor(low / 4294967296), low | 0);
    at[SLOT] = NaN;
    state.source = SOURCE_FRAME;
    state.how = HOW_SFRAME_REGISTER;
  } else {
    const stack = stacks.load(ra);
    if (stack < 0) return RA_SLOT_NOT_ACCESSIBLE;
    if (stacks.current !== stack) stacks.moveTo(stack);
    stacks.low[stack] = ra + 8;
    state.setPc(stacks.hi, stacks.lo);
    at[SLOT] = ra;
    state.source = SOURCE_FRAME;
    state.how = HOW_SFRAME_LOAD;
  }
  if (fpKind !== UNCHANGED) state.setFp(fpHi, fpLo);
  at[SP] = cfa;
  state.spLow = cfaLow;
  state.rule = rule;
  return STEP_OK;
}

/**
 * `a` < `b` as unsigned 64-bit values: negative numbers are the kernel half, so they are larger.
 */
function isBelow(a: number, b: number): boolean {
  return a < 0 === b < 0 ? a < b : a >= 0;
}

/** Low word of register `n` in the pt_regs: x0..x30, or 31 for SP. Needs `regsIndex` >= 0. */
function registerLow(state: WalkState, n: number): number {
  return (state.regs[state.regsIndex + 2 * n] as number) | 0;
}

function registerHigh(state: WalkState, n: number): number {
  return (state.regs[state.regsIndex + 2 * n + 1] as number) | 0;
}

function registerValue(state: WalkState, n: number): number {
  return registerHigh(state, n) * 4294967296 + (registerLow(state, n) >>> 0);
}

/** The address that a register rule names; for a register that is not saved, one in no stack. */
function registerRule(state: WalkState, n: number, offset: number): number {
  return n <= DWARF_SP ? registerValue(state, n) + offset : Infinity;
}
