/** The rows of one function as rules by offset, the form in which tables are compared. */

import { type Address } from '../../base/address.js';
import { type UnwindRule, ruleAt } from '../unwind-rule.js';
import { functionFacts } from './dump.js';
import { type SFrameSection } from './section.js';

/**
 * A rule that applies from `offset` bytes into the function, or the repeated block, to the next.
 */
export interface RuleFrom {
  readonly offset: number;
  readonly rule: UnwindRule;
}

/** One function of a table, as rules. */
export interface FunctionRules {
  readonly start: Address;
  /** In bytes. */
  readonly size: number;
  /**
   * Size in bytes of the block for which the rows repeat (PC type MASK); 0 for PC type INC. -1 for
   * a V1 function of PC type MASK, whose row starts are masks.
   */
  readonly repeat: number;
  /**
   * In ascending offset order. Successive rows with the same rule are merged, and a row that
   * another one at the same offset hides is left out.
   */
  readonly rules: readonly RuleFrom[];
}

/** The rules of function `f` of `section`. */
export function functionRules(section: SFrameSection, f: number): FunctionRules {
  const { functions, rows, outermostRule, header } = section;
  const start = functions.start[f] as number;
  const size = functions.size[f] as number;
  const first = functions.firstRow[f] as number;
  const count = functions.rowCount[f] as number;
  const { isMask, isFlex } = functionFacts(section, f);
  const repeat = !isMask ? 0 : header.version === 1 ? -1 : (functions.repSize[f] as number);
  if (count === 0) {
    const isOutermost = header.version === 3 && !isFlex;
    const rules = isOutermost ? [{ offset: 0, rule: ruleAt(section.rules, outermostRule) }] : [];
    return { start, size, repeat, rules };
  }
  const kept: { offset: number; index: number }[] = [];
  for (let row = first; row < first + count; row++) {
    const offset = rows.start[row] as number;
    const index = rows.rule[row] as number;
    // The last of several rows with one start applies. Rules are interned: same index, same rule.
    if (repeat !== -1 && kept.at(-1)?.offset === offset) kept.pop();
    if (kept.at(-1)?.index === index && repeat !== -1) continue;
    kept.push({ offset, index });
  }
  const rules = kept.map(({ offset, index }) => ({ offset, rule: ruleAt(section.rules, index) }));
  return { start, size, repeat, rules };
}

/** The rule in force at `offset`; undefined where no row covers it. Not for V1 MASK functions. */
export function ruleFrom({ rules, repeat }: FunctionRules, offset: number): UnwindRule | undefined {
  const within = repeat > 0 ? offset % repeat : offset;
  let low = 0;
  let high = rules.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((rules[middle] as RuleFrom).offset <= within) low = middle + 1;
    else high = middle;
  }
  return rules[low - 1]?.rule;
}
