/**
 * An unwind rule on one line, in readelf's column notation: `CFA=SP+16 FP=c-16 RA=c-8 [mangled]`.
 * `c-8` is a load from CFA - 8, `u` means unchanged, and parentheses are a load from the address
 * that they enclose.
 */
import { signedOffset } from '../../base/signed-offset.js';
import { CfaBase, RecoverKind, type UnwindRule } from '../../unwinder/unwind-rule.js';

/** The line for a rule. */
export function ruleNotation(rule: UnwindRule): string {
  if (rule.raKind === RecoverKind.UNDEFINED) return 'RA undefined';
  const base =
    rule.cfaBase === CfaBase.SP
      ? 'SP'
      : rule.cfaBase === CfaBase.FP
        ? 'FP'
        : `x${rule.cfaRegister}`;
  const sum = `${base}${signedOffset(rule.cfaOffset)}`;
  const parts = [
    `CFA=${rule.cfaDeref ? `(${sum})` : sum}`,
    `FP=${recovered(rule.fpKind, rule.fpRegister, rule.fpOffset)}`,
    `RA=${recovered(rule.raKind, rule.raRegister, rule.raOffset)}`,
  ];
  if (rule.mangled) parts.push(rule.pauthKeyB ? '[mangled B]' : '[mangled]');
  if (rule.signalFrame) parts.push('[signal]');
  return parts.join(' ');
}

function recovered(kind: RecoverKind, register: number, offset: number): string {
  const sum = `${register === 31 ? 'SP' : `x${register}`}${signedOffset(offset)}`;
  switch (kind) {
    case RecoverKind.UNCHANGED:
      return 'u';
    case RecoverKind.LOAD_CFA:
      return `c${signedOffset(offset)}`;
    case RecoverKind.VALUE_CFA:
      return `CFA${signedOffset(offset)}`;
    case RecoverKind.VALUE_REG:
      return sum;
    case RecoverKind.LOAD_REG:
      return `(${sum})`;
    case RecoverKind.UNDEFINED:
      return 'undefined';
  }
}
