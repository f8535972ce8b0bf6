/** Formats an unwind rule as one line: `CFA=SP+32 RA=*(CFA-24) FP=*(CFA-32) signed-A`. */

import { signedOffset } from '../base/signed-offset.js';
import { CfaBase, RecoverKind, type UnwindRule } from './unwind-rule.js';

/**
 * The text of `rule`: `outermost` when RA is undefined. Otherwise CFA, RA and FP, then `signed-A`
 * or `signed-B` when the RA is signed, and `signal` for a signal frame.
 */
export function formatRule(rule: UnwindRule): string {
  if (rule.raKind === RecoverKind.UNDEFINED) return 'outermost';
  const base =
    rule.cfaBase === CfaBase.REG
      ? `x${rule.cfaRegister}`
      : rule.cfaBase === CfaBase.SP
        ? 'SP'
        : 'FP';
  const sum = base + signedOffset(rule.cfaOffset);
  const parts = [
    `CFA=${rule.cfaDeref ? `*(${sum})` : sum}`,
    `RA=${recoverText(rule.raKind, rule.raRegister, rule.raOffset, 'x30')}`,
    `FP=${recoverText(rule.fpKind, rule.fpRegister, rule.fpOffset, 'x29')}`,
  ];
  if (rule.mangled) parts.push(rule.pauthKeyB ? 'signed-B' : 'signed-A');
  if (rule.signalFrame) parts.push('signal');
  return parts.join(' ');
}

function recoverText(kind: RecoverKind, register: number, offset: number, own: string): string {
  const name = register === 31 ? 'SP' : `x${register}`;
  switch (kind) {
    case RecoverKind.UNCHANGED:
      return own;
    case RecoverKind.LOAD_CFA:
      return `*(CFA${signedOffset(offset)})`;
    case RecoverKind.UNDEFINED:
      return 'undefined';
    case RecoverKind.VALUE_CFA:
      return `CFA${signedOffset(offset)}`;
    case RecoverKind.VALUE_REG:
      return `${name}${signedOffset(offset)}`;
    case RecoverKind.LOAD_REG:
      return `*(${name}${signedOffset(offset)})`;
  }
}
