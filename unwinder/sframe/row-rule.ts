/**
 * Decodes a frame row entry into an unwind rule (SFrame spec section 3): default rows of AArch64
 * (3.1.2) and flexible rows (3.2).
 */

import {
  CfaBase,
  DWARF_FP,
  DWARF_LR,
  DWARF_SP,
  RecoverKind,
  type UnwindRule,
} from '../unwind-rule.js';
import {
  CONTROL_DEREF,
  CONTROL_REG,
  CONTROL_REGNUM_SHIFT,
  CONTROL_UNUSED,
  ROW_BASE_IS_SP,
  ROW_MANGLED_RA,
  dataWordCount,
  dataWordSizeCode,
} from './format.js';

/** Highest DWARF register number a rule may name: x0..x30 and SP. */
const MAX_REGISTER = DWARF_SP;

/** What is wrong with a row's data words. */
export interface RowProblem {
  readonly field: string;
  /** Byte offset in the section. */
  readonly offset: number;
  readonly value: number;
  readonly expected: string;
}

/** Data word `index` of the row whose info byte is at `infoOffset`, sign-extended. */
export function signedWord(view: DataView, infoOffset: number, index: number): number {
  const size = dataWordSizeCode(view.getUint8(infoOffset));
  const at = infoOffset + 1 + (index << size);
  if (size === 0) return view.getInt8(at);
  return size === 1 ? view.getInt16(at, true) : view.getInt32(at, true);
}

/** As {@link signedWord}, but zero-extended: control data words are unsigned. */
export function unsignedWord(view: DataView, infoOffset: number, index: number): number {
  const size = dataWordSizeCode(view.getUint8(infoOffset));
  const at = infoOffset + 1 + (index << size);
  if (size === 0) return view.getUint8(at);
  return size === 1 ? view.getUint16(at, true) : view.getUint32(at, true);
}

/**
 * Fills the CFA, RA and FP fields and `mangled` of `rule` from a row of a default FDE. The caller
 * has checked that the data words lie within the section.
 * @returns the first problem with the row; undefined when there is none
 */
export function readDefaultRow(
  view: DataView,
  infoOffset: number,
  rule: UnwindRule,
): RowProblem | undefined {
  const info = view.getUint8(infoOffset);
  const count = dataWordCount(info);
  if (count === 0) {
    setUndefined(rule);
    return undefined;
  }
  if (count > 3) {
    return wordCountProblem(infoOffset, count, '0 to 3 in a default FDE');
  }
  const isSp = (info & ROW_BASE_IS_SP) !== 0;
  rule.cfaBase = isSp ? CfaBase.SP : CfaBase.FP;
  rule.cfaRegister = isSp ? DWARF_SP : DWARF_FP;
  rule.cfaOffset = signedWord(view, infoOffset, 0);
  rule.cfaDeref = false;
  // An offset of 0 means "not saved" (spec section 1.3, SFRAME_FRE_RA_OFFSET_INVALID), in the
  // kernel as well: the word at the CFA itself belongs to the caller.
  rule.raOffset = count > 1 ? signedWord(view, infoOffset, 1) : 0;
  rule.raKind = rule.raOffset === 0 ? RecoverKind.UNCHANGED : RecoverKind.LOAD_CFA;
  rule.raRegister = 0;
  rule.fpOffset = count > 2 ? signedWord(view, infoOffset, 2) : 0;
  rule.fpKind = rule.fpOffset === 0 ? RecoverKind.UNCHANGED : RecoverKind.LOAD_CFA;
  rule.fpRegister = 0;
  rule.mangled = (info & ROW_MANGLED_RA) !== 0;
  return undefined;
}

/** As {@link readDefaultRow}, for a row of a flexible FDE. */
export function readFlexRow(
  view: DataView,
  infoOffset: number,
  rule: UnwindRule,
): RowProblem | undefined {
  const info = view.getUint8(infoOffset);
  const count = dataWordCount(info);
  if (count === 0) {
    setUndefined(rule);
    return undefined;
  }
  if (count < 2) return wordCountProblem(infoOffset, count, '2 or more: the CFA takes a pair');

  const cfa = unsignedWord(view, infoOffset, 0);
  const wrong = controlProblem(view, infoOffset, 0, 'cfa', cfa);
  if (wrong !== undefined) return wrong;
  if ((cfa & CONTROL_REG) === 0) {
    return problem(view, infoOffset, 0, 'cfa_control.reg_p', 0, '1: a CFA needs a register');
  }
  const register = cfa >>> CONTROL_REGNUM_SHIFT;
  rule.cfaRegister = register;
  rule.cfaBase =
    register === DWARF_SP ? CfaBase.SP : register === DWARF_FP ? CfaBase.FP : CfaBase.REG;
  rule.cfaDeref = (cfa & CONTROL_DEREF) !== 0;
  rule.cfaOffset = signedWord(view, infoOffset, 1);
  rule.mangled = (info & ROW_MANGLED_RA) !== 0;

  rule.raKind = rule.fpKind = RecoverKind.UNCHANGED;
  rule.raRegister = rule.fpRegister = rule.raOffset = rule.fpOffset = 0;
  let next = 2;
  for (const entity of ['ra', 'fp'] as const) {
    if (next === count) return undefined;
    const control = unsignedWord(view, infoOffset, next);
    // A padding word: this entity has no rule, and no offset follows.
    if (control === 0) {
      next++;
      continue;
    }
    const bad = controlProblem(view, infoOffset, next, entity, control);
    if (bad !== undefined) return bad;
    if (next + 1 === count) {
      return wordCountProblem(infoOffset, count, `${count + 1}: the ${entity} offset is missing`);
    }
    setRecovery(rule, entity, control, signedWord(view, infoOffset, next + 1));
    next += 2;
  }
  if (next === count) return undefined;
  return wordCountProblem(infoOffset, count, `${next}: words are left over`);
}

/**
 * A row without data words: RA is undefined, the frame is outermost (spec section 1.3, errata 2).
 */
export function setUndefined(rule: UnwindRule): void {
  rule.cfaBase = CfaBase.SP;
  rule.cfaRegister = DWARF_SP;
  rule.cfaOffset = rule.raOffset = rule.fpOffset = 0;
  rule.cfaDeref = rule.mangled = rule.signalFrame = rule.pauthKeyB = false;
  rule.raKind = RecoverKind.UNDEFINED;
  rule.fpKind = RecoverKind.UNCHANGED;
  rule.raRegister = rule.fpRegister = 0;
}

/** Spec section 3.2, "Recovery Rules". */
function setRecovery(rule: UnwindRule, entity: 'ra' | 'fp', control: number, offset: number): void {
  const isLoad = (control & CONTROL_DEREF) !== 0;
  let kind: RecoverKind = isLoad ? RecoverKind.LOAD_CFA : RecoverKind.VALUE_CFA;
  let register = 0;
  if ((control & CONTROL_REG) !== 0) {
    kind = isLoad ? RecoverKind.LOAD_REG : RecoverKind.VALUE_REG;
    register = control >>> CONTROL_REGNUM_SHIFT;
    const own = entity === 'ra' ? DWARF_LR : DWARF_FP;
    if (kind === RecoverKind.VALUE_REG && register === own && offset === 0) {
      kind = RecoverKind.UNCHANGED;
      register = 0;
    }
  }
  if (entity === 'ra') {
    rule.raKind = kind;
    rule.raRegister = register;
    rule.raOffset = offset;
  } else {
    rule.fpKind = kind;
    rule.fpRegister = register;
    rule.fpOffset = offset;
  }
}

function controlProblem(
  view: DataView,
  infoOffset: number,
  word: number,
  entity: 'cfa' | 'ra' | 'fp',
  control: number,
): RowProblem | undefined {
  const name = `${entity}_control`;
  if ((control & CONTROL_UNUSED) !== 0) {
    return problem(view, infoOffset, word, `${name}.unused`, 1, '0');
  }
  const register = control >>> CONTROL_REGNUM_SHIFT;
  if ((control & CONTROL_REG) !== 0 && register > MAX_REGISTER) {
    return problem(view, infoOffset, word, `${name}.regnum`, register, 'x0 to x30 or SP (31)');
  }
  return undefined;
}

function problem(
  view: DataView,
  infoOffset: number,
  word: number,
  field: string,
  value: number,
  expected: string,
): RowProblem {
  const size = dataWordSizeCode(view.getUint8(infoOffset));
  return { field, offset: infoOffset + 1 + (word << size), value, expected };
}

function wordCountProblem(offset: number, value: number, expected: string): RowProblem {
  return { field: 'sfre_info.fre_dataword_count', offset, value, expected };
}
