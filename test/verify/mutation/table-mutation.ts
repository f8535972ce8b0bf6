/** One change to the rows of one function: what a broken assembler, linker or annotation might do. */
import type { Address } from '../../../base/address.js';
import { RuleSet } from '../../../unwinder/rule-set.js';
import {
  CfaBase,
  emptyRule,
  RecoverKind,
  ruleAt,
  type UnwindRule,
} from '../../../unwinder/unwind-rule.js';
import type { FunctionEntry } from '../../../verify/function-list.js';

/** What is changed. */
export const TABLE_KINDS = ['offset', 'base', 'start', 'missing', 'extra', 'mangled'] as const;
/** One of them. */
export type TableKind = (typeof TABLE_KINDS)[number];

interface Row {
  start: number;
  rule: UnwindRule;
}

/** A function with other rows. */
export interface TableMutation {
  readonly kind: string;
  readonly entry: FunctionEntry;
  /** What was changed, for a list of survivors. */
  readonly what: string;
}

/**
 * Change one row of a function. Undefined where the change is not possible.
 * @param all also where it can be seen beforehand that the change would say the same in other words
 */
export function mutateTable(
  entry: FunctionEntry,
  kind: TableKind,
  random: (limit: number) => number,
  fetch: (pc: Address) => number | undefined,
  all = false,
): TableMutation | undefined {
  const rows = rowsOf(entry);
  const limit = entry.repeat > 0 ? entry.repeat : entry.size;
  if (rows.length === 0) return undefined;
  const index = random(rows.length);
  const row = rows[index] as Row;
  const { rule } = row;
  if (rule.raKind === RecoverKind.UNDEFINED) return undefined;
  // Assemblers repeat rules: where the row begins, or that it is there, then says nothing.
  const before = rows[index - 1];
  const repeats = !all && before !== undefined && sameRule(before.rule, rule);
  if (repeats && (kind === 'start' || kind === 'missing')) return undefined;
  let what = `row ${index}`;
  switch (kind) {
    case 'offset': {
      const fields: ('cfaOffset' | 'raOffset' | 'fpOffset')[] = ['cfaOffset'];
      if (rule.raKind === RecoverKind.LOAD_CFA) fields.push('raOffset');
      if (rule.fpKind === RecoverKind.LOAD_CFA) fields.push('fpOffset');
      const field = fields[random(fields.length)] ?? 'cfaOffset';
      const by = [8, -8, 16, -16][random(4)] ?? 8;
      rule[field] += by;
      what += `: ${field} ${by > 0 ? '+' : ''}${by}`;
      break;
    }
    case 'base':
      if (rule.cfaBase === CfaBase.REG) return undefined;
      if (!all && fpIsSp(entry, row, rows[index + 1], fetch)) return undefined;
      rule.cfaBase = rule.cfaBase === CfaBase.SP ? CfaBase.FP : CfaBase.SP;
      rule.cfaRegister = rule.cfaBase === CfaBase.SP ? 31 : 29;
      break;
    case 'start': {
      const by = [4, -4, 8, -8, 2, 1][random(6)] ?? 4;
      if (row.start + by < 0 || row.start + by >= limit) return undefined;
      row.start += by;
      what += `: start ${by > 0 ? '+' : ''}${by}`;
      break;
    }
    case 'missing':
      rows.splice(index, 1);
      break;
    case 'extra': {
      const start = 4 * random(limit >>> 2);
      if (rows.some((other) => other.start === start)) return undefined;
      // The rule of another row, or one with a larger frame: what is in force would change nothing.
      const other = { ...rule };
      if (random(2) === 0) other.cfaOffset += 16;
      const inForce = rows.findLast((before) => before.start <= start);
      if (!all && inForce !== undefined && sameRule(inForce.rule, other)) return undefined;
      rows.push({ start, rule: other });
      rows.sort((a, b) => a.start - b.start);
      what = `a copy of row ${index} at +0x${start.toString(16)}`;
      break;
    }
    case 'mangled':
      rule.mangled = !rule.mangled;
      break;
  }
  return { kind, entry: withRows(entry, rows), what };
}

/**
 * Whether FP may equal SP all through a row that has a frame: then either base says the same. It does
 * not before MOV x29, SP, and a row without a frame has the caller's FP.
 */
function fpIsSp(
  { start, size }: FunctionEntry,
  { start: from, rule }: Row,
  next: Row | undefined,
  fetch: (pc: Address) => number | undefined,
): boolean {
  if (rule.cfaBase !== CfaBase.SP) return false;
  if (rule.cfaOffset === 0) return false;
  for (let at = from; at < (next?.start ?? size); at += 4) {
    if (fetch(start + at) === MOV_X29_SP) return false;
  }
  return true;
}

/** MOV x29, SP. */
const MOV_X29_SP = 0x910003fd;

function rowsOf({ table, fde }: FunctionEntry): Row[] {
  const first = table.functions.firstRow[fde] as number;
  return Array.from({ length: table.functions.rowCount[fde] as number }, (_, i) => {
    const rule = ruleAt(table.rules, table.rows.rule[first + i] as number);
    return { start: table.rows.start[first + i] as number, rule };
  });
}

/** The function in a table of its own. */
function withRows(entry: FunctionEntry, rows: readonly Row[]): FunctionEntry {
  const { table, fde, start, size } = entry;
  const { functions } = table;
  const rules = new RuleSet();
  const rule = Uint32Array.from(rows, (row) => rules.intern(row.rule));
  // As a decoder of the changed section would: in V3 a function without rows is the outermost.
  const isOutermost = rows.length === 0 && table.header.version === 3;
  const outermost = { ...emptyRule(), raKind: RecoverKind.UNDEFINED };
  const outermostRule = isOutermost ? rules.intern(outermost) : -1;
  return {
    ...entry,
    fde: 0,
    table: {
      ...table,
      functions: {
        count: 1,
        start: Float64Array.of(start),
        size: Uint32Array.of(size),
        firstRow: Uint32Array.of(0),
        rowCount: Uint32Array.of(rows.length),
        info: Uint8Array.of(functions.info[fde] as number),
        info2: Uint8Array.of(functions.info2[fde] as number),
        repSize: Uint8Array.of(functions.repSize[fde] as number),
      },
      rows: {
        count: rows.length,
        start: Uint32Array.from(rows, (row) => row.start),
        infoOffset: new Uint32Array(rows.length),
        rule,
      },
      rules: rules.seal(),
      outermostRule,
    },
  };
}

/** Whether two rules are equal in every field. */
export function sameRule(a: UnwindRule, b: UnwindRule): boolean {
  return (Object.keys(a) as (keyof UnwindRule)[]).every((key) => a[key] === b[key]);
}
