/** DWARF call frame information as unwind rules, so that it is judged as SFrame is. DWARF 5 section 6.4. */
import type { Address } from '../base/address.js';
import { fail, ok, type Result } from '../base/result.js';
import { formatDwarfError } from '../unwinder/dwarf/error.js';
import { decodeDwarfFrames } from '../unwinder/dwarf/frames.js';
import {
  type DwarfFunction,
  type DwarfRegister,
  type DwarfRow,
  rowAt,
} from '../unwinder/dwarf/rows.js';
import { RuleSet } from '../unwinder/rule-set.js';
import {
  CfaBase,
  DWARF_FP,
  DWARF_LR,
  DWARF_SP,
  emptyRule,
  RecoverKind,
  type RuleArrays,
  type UnwindRule,
} from '../unwinder/unwind-rule.js';

/** The parts of a section that matter here. */
interface FrameSection {
  readonly name: string;
  readonly address: Address;
  readonly data: Uint8Array;
}

/**
 * The functions of `.eh_frame` and `.debug_frame`, by start address. Where both describe a function, the
 * first section counts. The error is one line.
 */
export function readDwarfFunctions(
  path: string,
  sections: readonly FrameSection[],
): Result<ReadonlyMap<Address, DwarfFunction>, string> {
  const functions = new Map<Address, DwarfFunction>();
  for (const { name, address, data } of sections) {
    const format = name === '.debug_frame' ? 'debug_frame' : 'eh_frame';
    const decoded = decodeDwarfFrames(data, address, format);
    if (!decoded.ok) return fail(`${path}: ${name}: ${formatDwarfError(decoded.error)}`);
    for (const one of decoded.value) if (!functions.has(one.start)) functions.set(one.start, one);
  }
  return ok(functions);
}

/** The rules of one function. */
export interface DwarfRules {
  readonly rules: RuleArrays;
  /** Index in {@link rules} of the rule in force at each instruction; -1 where none can be judged. */
  readonly ruleAt: Int32Array;
}

/** The rules of a function. @param count its size in instructions */
export function dwarfRules(fn: DwarfFunction, count: number): DwarfRules {
  const set = new RuleSet();
  const ruleAt = Int32Array.from({ length: count }, (_, i) => {
    const row = rowAt(fn, 4 * i);
    const rule = row && ruleOf(row, fn);
    return rule === undefined ? -1 : set.intern(rule);
  });
  return { rules: set.seal(), ruleAt };
}

/** Undefined before the CFA is defined, and for DWARF expressions, which are not evaluated. */
function ruleOf({ cfa, ra, fp, raSigned }: DwarfRow, fn: DwarfFunction): UnwindRule | undefined {
  const rule = emptyRule();
  if (ra.kind === 'undefined') return { ...rule, raKind: RecoverKind.UNDEFINED };
  if (cfa.kind !== 'register') return undefined;
  const raPlace = placeOf(ra, DWARF_LR);
  const fpPlace = placeOf(fp, DWARF_FP);
  if (raPlace === undefined || fpPlace === undefined) return undefined;
  rule.cfaRegister = cfa.register;
  rule.cfaOffset = cfa.offset;
  rule.cfaBase =
    cfa.register === DWARF_SP ? CfaBase.SP : cfa.register === DWARF_FP ? CfaBase.FP : CfaBase.REG;
  [rule.raKind, rule.raRegister, rule.raOffset] = raPlace;
  [rule.fpKind, rule.fpRegister, rule.fpOffset] = fpPlace;
  rule.mangled = raSigned;
  rule.signalFrame = fn.signalFrame;
  rule.pauthKeyB = fn.pauthKeyB;
  return rule;
}

function placeOf(found: DwarfRegister, own: number): [RecoverKind, number, number] | undefined {
  switch (found.kind) {
    case 'unspecified':
    case 'same':
      return [RecoverKind.UNCHANGED, 0, 0];
    case 'offset':
      return [RecoverKind.LOAD_CFA, 0, found.offset];
    case 'val-offset':
      return [RecoverKind.VALUE_CFA, 0, found.offset];
    case 'register':
      return found.register === own
        ? [RecoverKind.UNCHANGED, 0, 0]
        : [RecoverKind.VALUE_REG, found.register, 0];
    case 'undefined':
    case 'expression':
    case 'val-expression':
      return undefined;
  }
}
