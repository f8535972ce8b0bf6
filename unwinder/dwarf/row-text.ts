/** Formats a row of call frame information as one line, in the notation of `formatRule`. */

import { signedOffset } from '../../base/signed-offset.js';
import { type DwarfCfa, type DwarfRegister, type DwarfRow } from './rows.js';

/** One line such as `CFA=SP+32 RA=*(CFA-24) FP=*(CFA-32) signed-A`. */
export function formatDwarfRow(row: DwarfRow, pauthKeyB: boolean): string {
  if (row.ra.kind === 'undefined') return 'outermost';
  const parts = [
    `CFA=${cfaText(row.cfa)}`,
    `RA=${registerText(row.ra, 'x30')}`,
    `FP=${registerText(row.fp, 'x29')}`,
  ];
  if (row.raSigned) parts.push(pauthKeyB ? 'signed-B' : 'signed-A');
  return parts.join(' ');
}

function cfaText(cfa: DwarfCfa): string {
  if (cfa.kind !== 'register') return cfa.kind;
  const base = cfa.register === 31 ? 'SP' : cfa.register === 29 ? 'FP' : `x${cfa.register}`;
  return base + signedOffset(cfa.offset);
}

function registerText(rule: DwarfRegister, own: string): string {
  switch (rule.kind) {
    case 'unspecified':
    case 'same':
      return own;
    case 'offset':
      return `*(CFA${signedOffset(rule.offset)})`;
    case 'val-offset':
      return `CFA${signedOffset(rule.offset)}`;
    case 'register':
      return rule.register === 31 ? 'SP' : `x${rule.register}`;
    case 'undefined':
    case 'expression':
    case 'val-expression':
      return rule.kind;
  }
}
