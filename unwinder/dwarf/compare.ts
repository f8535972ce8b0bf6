/** Finds where an SFrame section and DWARF call frame information disagree. */

import { type Address } from '../../base/address.js';
import { formatRule } from '../rule-text.js';
import { type FunctionRules, ruleFrom } from '../sframe/function-rules.js';
import { CfaBase, RecoverKind, type UnwindRule } from '../unwind-rule.js';
import { formatDwarfRow } from './row-text.js';
import { type DwarfFunction, type DwarfRegister, type DwarfRow, rowAt } from './rows.js';

/** What the two tables disagree about. */
export type DisagreementField =
  | 'cfa'
  | 'ra'
  | 'fp'
  /** Whether the return address is signed, or with which key. */
  | 'signed'
  /** Only one of the two has a rule. */
  | 'absent'
  /** DWARF has an expression, or no CFA: nothing to compare SFrame with. */
  | 'not-comparable';

/** One range of a function in which the two disagree. */
export interface DwarfDisagreement {
  /** Start of the function in the table that has it. */
  readonly func: Address;
  /** The range in bytes from `func`: its first byte, and one past its last. */
  readonly from: number;
  readonly to: number;
  readonly fields: readonly DisagreementField[];
  /** The rule of each as text; 'none' where it has no rule. */
  readonly sframe: string;
  readonly dwarf: string;
}

/**
 * Compares the rules at every offset where either table changes. Both must come from one file with
 * one layout. DWARF's `unspecified` means "unchanged" for x29 and x30 (AAPCS64: the callee
 * preserves them). V1 functions whose row starts are masks are left out.
 * @returns the disagreements by ascending address; adjacent ranges with the same text are joined
 */
export function compareSFrameToDwarf(
  sframe: readonly FunctionRules[],
  dwarf: readonly DwarfFunction[],
): DwarfDisagreement[] {
  const found: DwarfDisagreement[] = [];
  const a = sframe.filter(({ size }) => size > 0).sort(byStart);
  const b = dwarf.filter(({ size }) => size > 0).sort(byStart);
  let i = 0;
  let k = 0;
  for (;;) {
    const one = a[i];
    const other = b[k];
    if (one === undefined && other === undefined) return found;
    if (other === undefined || (one !== undefined && one.start < other.start)) {
      if (one !== undefined) compareFunction(one, undefined, found);
      i++;
    } else if (one === undefined || other.start < one.start) {
      compareFunction(undefined, other, found);
      k++;
    } else {
      if (one.repeat !== -1) compareFunction(one, other, found);
      i++;
      k++;
    }
  }
}

function byStart(a: { readonly start: Address }, b: { readonly start: Address }): number {
  return a.start - b.start;
}

function compareFunction(
  one: FunctionRules | undefined,
  other: DwarfFunction | undefined,
  found: DwarfDisagreement[],
): void {
  const func = one?.start ?? other?.start ?? 0;
  const end = Math.max(one?.size ?? 0, other?.size ?? 0);
  const offsets = new Set([0, one?.size ?? 0, other?.size ?? 0]);
  // The rows of a repeated block are compared in its first repetition only.
  for (const { offset } of one?.rules ?? []) offsets.add(offset);
  for (const { offset } of other?.rows ?? []) offsets.add(offset);
  const sorted = [...offsets].filter((offset) => offset < end).sort((x, y) => x - y);
  let last: DwarfDisagreement | undefined;
  for (const [i, from] of sorted.entries()) {
    const to = sorted[i + 1] ?? end;
    const rule = one === undefined || from >= one.size ? undefined : ruleFrom(one, from);
    const row = other === undefined ? undefined : rowAt(other, from);
    const fields = disagreements(rule, row, other?.pauthKeyB ?? false);
    if (fields.length === 0) {
      last = undefined;
      continue;
    }
    const said = {
      fields,
      sframe: rule === undefined ? 'none' : formatRule(rule),
      dwarf: row === undefined ? 'none' : formatDwarfRow(row, other?.pauthKeyB ?? false),
    };
    if (last !== undefined && last.sframe === said.sframe && last.dwarf === said.dwarf) {
      last = { ...last, to };
      found[found.length - 1] = last;
    } else {
      last = { func, from, to, ...said };
      found.push(last);
    }
  }
}

function disagreements(
  rule: UnwindRule | undefined,
  row: DwarfRow | undefined,
  pauthKeyB: boolean,
): DisagreementField[] {
  if (rule === undefined || row === undefined) return rule === row ? [] : ['absent'];
  const sframeEnds = rule.raKind === RecoverKind.UNDEFINED;
  if (sframeEnds || row.ra.kind === 'undefined') {
    return sframeEnds && row.ra.kind === 'undefined' ? [] : ['ra'];
  }
  const kinds: string[] = [row.cfa.kind, row.ra.kind, row.fp.kind];
  if (kinds.some((kind) => kind.includes('expression') || kind === 'none')) {
    return ['not-comparable'];
  }
  const fields: DisagreementField[] = [];
  if (!sameCfa(rule, row)) fields.push('cfa');
  if (!sameRegister(rule.raKind, rule.raRegister, rule.raOffset, row.ra, 30)) fields.push('ra');
  if (!sameRegister(rule.fpKind, rule.fpRegister, rule.fpOffset, row.fp, 29)) fields.push('fp');
  const keyDiffers = rule.mangled && row.raSigned && rule.pauthKeyB !== pauthKeyB;
  if (rule.mangled !== row.raSigned || keyDiffers) fields.push('signed');
  return fields;
}

function sameCfa(rule: UnwindRule, { cfa }: DwarfRow): boolean {
  if (cfa.kind !== 'register' || rule.cfaDeref) return false;
  const register =
    rule.cfaBase === CfaBase.REG ? rule.cfaRegister : rule.cfaBase === CfaBase.SP ? 31 : 29;
  return register === cfa.register && rule.cfaOffset === cfa.offset;
}

function sameRegister(
  kind: RecoverKind,
  register: number,
  offset: number,
  dwarf: DwarfRegister,
  own: number,
): boolean {
  switch (kind) {
    case RecoverKind.UNCHANGED:
      return (
        dwarf.kind === 'unspecified' ||
        dwarf.kind === 'same' ||
        (dwarf.kind === 'register' && dwarf.register === own)
      );
    case RecoverKind.LOAD_CFA:
      return dwarf.kind === 'offset' && dwarf.offset === offset;
    case RecoverKind.VALUE_CFA:
      return dwarf.kind === 'val-offset' && dwarf.offset === offset;
    case RecoverKind.VALUE_REG:
      return dwarf.kind === 'register' && dwarf.register === register && offset === 0;
    case RecoverKind.LOAD_REG:
    case RecoverKind.UNDEFINED:
      return false;
  }
}
