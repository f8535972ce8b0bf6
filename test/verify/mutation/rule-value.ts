/**
 * What a rule finds in a state, as plain numbers: whether a changed rule is equivalent to the old one
 * is decided by what both find, and not by the code that judges rows.
 */
import { addressFromBigInt } from '../../../base/address.js';
import type { RegisterFile } from '../../../emulator/registers.js';
import {
  DWARF_FP,
  DWARF_LR,
  DWARF_SP,
  RecoverKind,
  type UnwindRule,
} from '../../../unwinder/unwind-rule.js';
import type { SyntheticFrame } from '../../../verify/synthetic-frame.js';

/** CFA, return address and frame pointer, and what is to be done with the second, as one text. */
export function valueOf(rule: UnwindRule, registers: RegisterFile, frame: SyntheticFrame): string {
  if (rule.raKind === RecoverKind.UNDEFINED) return 'outermost';
  const load = (address: number): bigint | undefined => {
    // Below SP there is nothing to rely on.
    if (address % 8 !== 0 || !frame.holds(address, 8)) return undefined;
    if (address < registers.get(DWARF_SP)) return undefined;
    const at = frame.indexOf(address);
    return (BigInt(frame.words[at + 1] ?? 0) << 32n) | BigInt(frame.words[at] ?? 0);
  };
  const register = (index: number): bigint =>
    (BigInt(registers.words[2 * index + 1] ?? 0) << 32n) | BigInt(registers.words[2 * index] ?? 0);
  const place = (index: number, offset: number): number =>
    addressFromBigInt(register(index)) + offset;
  const base = place(rule.cfaRegister, rule.cfaOffset);
  const loaded = rule.cfaDeref ? load(base) : undefined;
  const cfa = !rule.cfaDeref ? base : loaded === undefined ? NaN : addressFromBigInt(loaded);
  const find = (kind: number, index: number, offset: number, own: number): unknown => {
    switch (kind) {
      case RecoverKind.UNCHANGED:
        return register(own);
      case RecoverKind.LOAD_CFA:
        return load(cfa + offset);
      case RecoverKind.LOAD_REG:
        return load(place(index, offset));
      case RecoverKind.VALUE_REG:
        return place(index, offset);
      default:
        return cfa + offset;
    }
  };
  const ra = find(rule.raKind, rule.raRegister, rule.raOffset, DWARF_LR);
  const fp = find(rule.fpKind, rule.fpRegister, rule.fpOffset, DWARF_FP);
  const signed = rule.mangled ? (rule.pauthKeyB ? 'B' : 'A') : '-';
  return `${cfa} ${String(ra)} ${String(fp)} ${signed}`;
}
