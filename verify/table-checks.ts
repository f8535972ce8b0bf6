/** Checks of a table that need no execution. SFrame spec sections 2.3 and 2.4. */
import { plural } from '../base/number-text.js';
import type { Address } from '../base/address.js';
import { F_FDE_SORTED } from '../unwinder/sframe/format.js';
import { RecoverKind } from '../unwinder/unwind-rule.js';
import type { FunctionEntry, FunctionList } from './function-list.js';

/** How an entry of the table can be wrong, whatever the code does. */
export type StaticKind =
  | 'row-start-misaligned'
  | 'row-after-end'
  | 'rows-not-rising'
  | 'function-outside-text'
  | 'functions-overlap'
  | 'functions-not-rising'
  | 'outermost-called'
  | 'no-such-symbol'
  | 'size-differs';

/** One wrong entry, or row of one. */
export interface StaticFinding {
  readonly kind: StaticKind;
  readonly entry: FunctionEntry;
  /** Row within the function, or -1. */
  readonly row: number;
  readonly pc: Address;
  readonly detail: string;
}

/** Check some functions of a list. */
export function checkTable(list: FunctionList, only: readonly FunctionEntry[]): StaticFinding[] {
  const findings: StaticFinding[] = [];
  for (const entry of only) {
    checkRange(list, entry, findings);
    checkRows(entry, findings);
    checkOutermost(list, entry, findings);
  }
  return findings;
}

function checkRange(list: FunctionList, entry: FunctionEntry, findings: StaticFinding[]): void {
  const { start, size, table, fde } = entry;
  const add = (kind: StaticKind, detail: string): void => {
    findings.push({ kind, entry, row: -1, pc: start, detail });
  };
  const { code, functions, symbols } = list.program;
  const sorted = (table.header.flags & F_FDE_SORTED) !== 0;
  if (sorted && fde > 0 && (table.functions.start[fde - 1] as number) > start) {
    add('functions-not-rising', 'it comes after one with a higher address');
  }
  if (!code.some(({ low, high }) => start >= low && start + size <= high) || start % 4 !== 0) {
    add('function-outside-text', 'it is not entirely inside one code section, or not aligned');
    return;
  }
  const before = list.reachingInto(entry);
  if (before !== undefined && size > 0) {
    add('functions-overlap', `it begins inside ${before.name}`);
  }
  if (functions.length === 0 || entry.repeat > 0) return;
  const place = symbols.at(start);
  // No symbol is no mistake: compilers drop the names of merged and cloned functions.
  if (place === undefined) return;
  if (place.offset !== 0) {
    add('no-such-symbol', `it starts inside ${place.symbol.name}, at +${place.offset}`);
  } else if (place.symbol.size !== size && symbols.at(start + size - 4)?.symbol !== place.symbol) {
    add('size-differs', `it has ${plural(size, 'byte')}, but the symbol has ${place.symbol.size}`);
  }
}

function checkRows(entry: FunctionEntry, findings: StaticFinding[]): void {
  const { table, fde, start, size } = entry;
  const first = table.functions.firstRow[fde] as number;
  const count = table.functions.rowCount[fde] as number;
  const limit = entry.repeat > 0 ? entry.repeat : size;
  let previous = -1;
  for (let row = 0; row < count; row++) {
    const at = table.rows.start[first + row] as number;
    const add = (kind: StaticKind, detail: string): void => {
      findings.push({ kind, entry, row, pc: start + at, detail });
    };
    if (at % 4 !== 0) add('row-start-misaligned', 'it starts inside an instruction');
    else if (at >= limit) add('row-after-end', 'it starts at or after the end of the function');
    if (at <= previous) add('rows-not-rising', 'it does not start after the row before');
    previous = at;
  }
}

/** An outermost function must not be called. It would have a caller to unwind to, returning or not. */
function checkOutermost(list: FunctionList, entry: FunctionEntry, findings: StaticFinding[]): void {
  const { table, fde, start } = entry;
  const isEmpty = table.functions.rowCount[fde] === 0;
  const first = table.functions.firstRow[fde] as number;
  const rule = isEmpty ? table.outermostRule : (table.rows.rule[first] as number);
  if (rule < 0 || table.rules.raKind[rule] !== RecoverKind.UNDEFINED) return;
  const caller = list.callerOf(start);
  if (caller === undefined) return;
  const detail = `${list.program.symbols.format(caller)} calls it`;
  findings.push({ kind: 'outermost-called', entry, row: isEmpty ? -1 : 0, pc: start, detail });
}
