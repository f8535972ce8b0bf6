/**
 * Whether a row is true in a given state. It is when its CFA is the SP at the call, and when the return
 * address and the caller's frame pointer are where it says. SFrame spec section 3.
 */
import type { Address } from '../base/address.js';
import { Reg, type RegisterFile } from '../emulator/registers.js';
import { CfaBase, DWARF_SP, RecoverKind, type RuleArrays } from '../unwinder/unwind-rule.js';
import { type SyntheticFrame, Tag } from './synthetic-frame.js';

/** How a row can be wrong, in the order of the checks. */
export const Wrong = {
  NOTHING: 0,
  /** The CFA is not the SP at entry. */
  CFA: 1,
  /** The return address is not where the row says. */
  RA: 2,
  /** The caller's frame pointer is not where the row says. */
  FP: 3,
  /** The row says that the return address is signed, but it is not. */
  NOT_MANGLED: 4,
  /** The return address is signed, but the row does not say so. */
  MANGLED: 5,
  /** The return address is signed with the other key. */
  KEY: 6,
} as const;

/**
 * Judge a rule in the current state.
 * @returns the ways in which it is wrong, as bits `1 << Wrong.*`; 0 when it is true
 */
export function judgeRow(
  rules: RuleArrays,
  rule: number,
  registers: RegisterFile,
  frame: SyntheticFrame,
): number {
  const raKind = rules.raKind[rule] as number;
  // An outermost frame has no caller. Whether the function returns after all is checked at returns.
  if (raKind === RecoverKind.UNDEFINED) return 0;

  let cfa = cfaSum(rules, rule, registers);
  if (rules.cfaDeref[rule] === 1) cfa = loadAddress(frame, registers, cfa);
  if (cfa !== frame.entrySp) return 1 << Wrong.CFA;

  let wrong = 0;
  const raRegister = rules.raRegister[rule] as number;
  const raOffset = rules.raOffset[rule] as number;
  const ra = recover(raKind, raRegister, raOffset, Reg.X30, cfa, registers, frame);
  const mangled = rules.mangled[rule] === 1;
  if (ra === Tag.RA) {
    if (mangled) wrong |= 1 << Wrong.NOT_MANGLED;
  } else if (ra >= Tag.SIGNED) {
    if (!mangled) wrong |= 1 << Wrong.MANGLED;
    else if (frame.isKeyB(ra) !== (rules.pauthKeyB[rule] === 1)) wrong |= 1 << Wrong.KEY;
  } else {
    wrong |= 1 << Wrong.RA;
  }

  const fpKind = rules.fpKind[rule] as number;
  const fpRegister = rules.fpRegister[rule] as number;
  const fpOffset = rules.fpOffset[rule] as number;
  const fp = recover(fpKind, fpRegister, fpOffset, Reg.X29, cfa, registers, frame);
  if (fp !== Tag.FP) wrong |= 1 << Wrong.FP;
  return wrong;
}

/** The base register plus the row's offset: the CFA, or the address to load it from. */
function cfaSum(rules: RuleArrays, rule: number, registers: RegisterFile): Address {
  const base = rules.cfaBase[rule] as number;
  const register =
    base === CfaBase.SP
      ? Reg.SP
      : base === CfaBase.FP
        ? Reg.X29
        : (rules.cfaRegister[rule] as number);
  return registers.get(register) + (rules.cfaOffset[rule] as number);
}

function recover(
  kind: number,
  register: number,
  offset: number,
  own: number,
  cfa: Address,
  registers: RegisterFile,
  frame: SyntheticFrame,
): number {
  switch (kind) {
    case RecoverKind.UNCHANGED:
      return frame.registerTag(registers, own);
    case RecoverKind.LOAD_CFA:
      return liveTag(frame, registers, cfa + offset);
    case RecoverKind.LOAD_REG:
      return liveTag(frame, registers, valueOf(registers, register) + offset);
    case RecoverKind.VALUE_REG:
      return offset === 0 ? frame.registerTag(registers, register & 31) : Tag.OTHER;
    default:
      return Tag.OTHER;
  }
}

function valueOf(registers: RegisterFile, register: number): Address {
  return registers.get(register === DWARF_SP ? Reg.SP : register);
}

/**
 * The tag of a stack word as an unwinder may rely on it. Words below SP do not count, because the next
 * exception overwrites them (AAPCS64 6.4.5.1: there is no red zone).
 */
function liveTag(frame: SyntheticFrame, registers: RegisterFile, address: Address): number {
  if (address % 8 !== 0 || !frame.holds(address, 8)) return Tag.OTHER;
  const sp = registers.get(Reg.SP);
  if (address < sp && frame.holds(sp, 0)) return Tag.OTHER;
  return frame.wordTag(address);
}

function loadAddress(frame: SyntheticFrame, registers: RegisterFile, address: Address): Address {
  const sp = registers.get(Reg.SP);
  if (address % 8 !== 0 || !frame.holds(address, 8)) return NaN;
  if (address < sp && frame.holds(sp, 0)) return NaN;
  const at = frame.indexOf(address);
  return ((frame.words[at + 1] as number) | 0) * 4294967296 + (frame.words[at] as number);
}
