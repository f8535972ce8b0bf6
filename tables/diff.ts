/** The semantic difference of two SFrame tables. Rules are compared, not their encodings. */

import { formatRule } from '../unwinder/rule-text.js';
import { type FunctionRules, functionRules, ruleFrom } from '../unwinder/sframe/function-rules.js';
import { FunctionNames } from './function-names.js';
import type { FileTables } from './read-tables.js';

/** A range of a function in which the rules differ, as byte offsets from its start. `to` is exclusive. */
export interface RuleChange {
  readonly from: number;
  readonly to: number;
  /** The rule in each file; 'none' where no row covers the range. */
  readonly a: string;
  readonly b: string;
}

/** A function that is in both tables but differs. */
export interface FunctionChange {
  readonly name: string;
  /** The STT_FILE of a local function, else ''. */
  readonly file: string;
  readonly sizeA: number;
  readonly sizeB: number;
  readonly changes: readonly RuleChange[];
}

/** A function that is in one table only; its size is in bytes. */
export interface SideFunction {
  readonly name: string;
  readonly file: string;
  readonly size: number;
}

/** The difference between two files. */
export interface TableDiff {
  readonly onlyA: readonly SideFunction[];
  readonly onlyB: readonly SideFunction[];
  readonly changed: readonly FunctionChange[];
  /** Functions in both tables whose size and rules are the same. */
  readonly equal: number;
}

interface Entry extends SideFunction {
  readonly rules: FunctionRules;
}

/**
 * Compares two files. Functions are matched by name. Those with equal names are matched by STT_FILE, and
 * then in address order. Those without a symbol are matched by address, or in an object by section and
 * offset.
 */
export function diffTables(a: FileTables, b: FileTables): TableDiff {
  const left = entries(a);
  const right = entries(b);
  const onlyA: SideFunction[] = [];
  const onlyB: SideFunction[] = [];
  const changed: FunctionChange[] = [];
  let equal = 0;
  for (const [key, one] of left) {
    const other = right.get(key);
    if (other === undefined) {
      onlyA.push(side(one));
      continue;
    }
    const changes = ruleChanges(one.rules, other.rules);
    if (changes.length === 0 && one.size === other.size) equal++;
    else {
      const { name, file, size } = one;
      changed.push({ name, file, sizeA: size, sizeB: other.size, changes });
    }
  }
  for (const [key, other] of right) if (!left.has(key)) onlyB.push(side(other));
  return { onlyA, onlyB, changed, equal };
}

/** Whether the tables have the same functions and rules. */
export function isEqual({ onlyA, onlyB, changed }: TableDiff): boolean {
  return onlyA.length + onlyB.length + changed.length === 0;
}

function side({ name, file, size }: Entry): SideFunction {
  return { name, file, size };
}

function entries({ elf, sframe }: FileTables): Map<string, Entry> {
  const names = new FunctionNames(elf);
  const all = sframe.flatMap(({ section }) =>
    Array.from({ length: section.functions.count }, (_, f) => functionRules(section, f)),
  );
  all.sort((x, y) => x.start - y.start);
  const seen = new Map<string, number>();
  const found = new Map<string, Entry>();
  for (const rules of all) {
    const { name, file } = names.nameOf(rules.start, rules.size);
    const key = `${name}\0${file}`;
    const index = seen.get(key) ?? 0;
    seen.set(key, index + 1);
    found.set(`${key}\0${index}`, { name, file, size: rules.size, rules });
  }
  return found;
}

function ruleChanges(a: FunctionRules, b: FunctionRules): RuleChange[] {
  if (a.repeat !== b.repeat || a.repeat === -1) {
    const [one, other] = [wholeText(a), wholeText(b)];
    return one === other ? [] : [{ from: 0, to: Math.max(a.size, b.size), a: one, b: other }];
  }
  const end = Math.max(a.size, b.size);
  const offsets = new Set([0, a.size, b.size]);
  for (const { offset } of a.rules) offsets.add(offset);
  for (const { offset } of b.rules) offsets.add(offset);
  const sorted = [...offsets].filter((offset) => offset < end).sort((x, y) => x - y);
  const changes: RuleChange[] = [];
  for (const [i, from] of sorted.entries()) {
    const one = textAt(a, from);
    const other = textAt(b, from);
    if (one === other) continue;
    const to = sorted[i + 1] ?? end;
    const last = changes.at(-1);
    if (last?.to === from && last.a === one && last.b === other) {
      changes[changes.length - 1] = { ...last, to };
    } else {
      changes.push({ from, to, a: one, b: other });
    }
  }
  return changes;
}

/** The rule at an offset as text. It is complete: equal texts mean equal rules. */
function textAt(func: FunctionRules, offset: number): string {
  if (offset >= func.size) return 'none';
  const rule = ruleFrom(func, offset);
  return rule === undefined ? 'none' : formatRule(rule);
}

function wholeText({ repeat, rules }: FunctionRules): string {
  const rows = rules.map(({ offset, rule }) => `${offset}: ${formatRule(rule)}`).join('; ');
  return repeat === 0 ? rows : `repeated${repeat > 0 ? ` every ${repeat} bytes` : ''}: ${rows}`;
}
