/** Verifies all functions of a program, or some, in this process. */
import type { Address } from '../emulator/address.js';
import type { EngineBackend } from '../emulator/engine.js';
import { ok, type Result } from '../emulator/result.js';
import { formatRule } from '../unwinder/rule-text.js';
import { ruleAt } from '../unwinder/unwind-rule.js';
import { DataStepper } from './data-step.js';
import { Executor } from './executor.js';
import { type FunctionEntry, FunctionList } from './function-list.js';
import type { FunctionTrace, WrongKind } from './function-trace.js';
import { findNoreturn } from './noreturn.js';
import type { Program } from './program.js';
import { readRunTimeEdges, type RunTimeEdges } from './run-time-edges.js';
import { checkTable, type StaticKind } from './table-checks.js';

/** One thing that is wrong. */
export interface Finding {
  readonly kind: WrongKind | StaticKind;
  readonly fn: string;
  /** Start of the function. */
  readonly start: Address;
  /** Row within the function, or -1. */
  readonly row: number;
  /** The first instruction at which it was seen. */
  readonly pc: Address;
  /** The rule of the row, as text; empty without a row. */
  readonly rule: string;
  /** What is true there, or what is wrong with the table's entry. */
  readonly detail: string;
}

/** Instructions that no path reached, in a row. */
export interface UnreachedRange {
  readonly fn: string;
  readonly start: Address;
  /** Bytes. */
  readonly size: number;
  readonly reason: UnreachedReason;
}

/** Why instructions were not reached. */
export type UnreachedReason =
  'padding' | 'after-noreturn' | 'indirect-jump' | 'step-limit' | 'part-not-entered' | 'no-path';

/** The answer. */
export interface VerifyReport {
  readonly functions: { readonly total: number; readonly wrong: number };
  readonly instructions: { readonly total: number; readonly reached: number };
  readonly rows: {
    readonly total: number;
    readonly verified: number;
    readonly wrong: number;
    readonly unreached: number;
  };
  readonly findings: readonly Finding[];
  readonly unreached: readonly UnreachedRange[];
  /** Rows that no path reaches: where each begins. */
  readonly unreachedRows: readonly { readonly fn: string; readonly row: number }[];
  /** Instructions that the engine does not know, whose results were taken as unknown. */
  readonly refusedInstructions: number;
}

/** What verification of a program needs beside the program: made once, used for each function. */
export class Verifier {
  readonly list: FunctionList;
  private readonly executor: Executor;

  private constructor(
    program: Program,
    edges: RunTimeEdges,
    noreturn: ReadonlySet<Address>,
    readonly stepper: DataStepper,
  ) {
    this.list = new FunctionList(program, noreturn);
    this.executor = new Executor(this.list, edges, noreturn, stepper);
  }

  /** The error is one line. */
  static create(program: Program, backend: EngineBackend): Result<Verifier, string> {
    const edges = readRunTimeEdges(program);
    const bodies = program.functions.map(({ address, size }) => {
      return { start: address, end: address + size };
    });
    const noreturn = findNoreturn(program, bodies, edges);
    const stepper = DataStepper.create(backend, program);
    return stepper.ok ? ok(new Verifier(program, edges, noreturn, stepper.value)) : stepper;
  }

  /** Execute and check one group of functions. */
  run(group: readonly FunctionEntry[]): { traces: FunctionTrace[]; findings: Finding[] } {
    const traces = this.executor.run(group);
    const findings: Finding[] = checkTable(this.list, group).map((found) => {
      const { kind, entry, row, pc, detail } = found;
      return {
        kind,
        fn: entry.name,
        start: entry.start,
        row,
        pc,
        rule: ruleText(entry, row),
        detail,
      };
    });
    for (const { entry, observations } of traces) {
      for (const { kind, row, pc, truth } of observations) {
        const rule = ruleText(entry, row);
        findings.push({ kind, fn: entry.name, start: entry.start, row, pc, rule, detail: truth });
      }
    }
    return { traces, findings };
  }

  /** Verify every group that has a function whose name is wanted. */
  verify(wanted: (name: string) => boolean): VerifyReport {
    const findings: Finding[] = [];
    const unreached: UnreachedRange[] = [];
    const unreachedRows: { fn: string; row: number }[] = [];
    const sums = { functions: 0, wrong: 0, instructions: 0, reached: 0, rows: 0, wrongRows: 0 };
    for (const group of this.list.groups()) {
      if (!group.some(({ name }) => wanted(name))) continue;
      const result = this.run(group);
      findings.push(...result.findings);
      for (const trace of result.traces) {
        const own = result.findings.filter(({ start }) => start === trace.entry.start);
        const wrongRows = new Set(own.map(({ row }) => row).filter((row) => row >= 0));
        sums.functions++;
        if (own.length > 0) sums.wrong++;
        sums.instructions += trace.reached.length;
        sums.reached += trace.reached.reduce((sum, flag) => sum + flag, 0);
        sums.rows += trace.rowSeen.length;
        sums.wrongRows += wrongRows.size;
        for (const [row, seen] of trace.rowSeen.entries()) {
          if (seen === 0 && !wrongRows.has(row)) unreachedRows.push({ fn: trace.entry.name, row });
        }
        unreached.push(...unreachedRanges(trace, this.stepper));
      }
    }
    return {
      functions: { total: sums.functions, wrong: sums.wrong },
      instructions: { total: sums.instructions, reached: sums.reached },
      rows: {
        total: sums.rows,
        verified: sums.rows - sums.wrongRows - unreachedRows.length,
        wrong: sums.wrongRows,
        unreached: unreachedRows.length,
      },
      findings,
      unreached,
      unreachedRows,
      refusedInstructions: this.stepper.refused,
    };
  }
}

function ruleText({ table, fde }: FunctionEntry, row: number): string {
  if (row < 0) return '';
  const first = table.functions.firstRow[fde] as number;
  return formatRule(ruleAt(table.rules, table.rows.rule[first + row] as number));
}

const NOP = 0xd503201f;

function unreachedRanges(trace: FunctionTrace, stepper: DataStepper): UnreachedRange[] {
  const { entry, reached } = trace;
  const ranges: UnreachedRange[] = [];
  for (let i = 0; i < reached.length;) {
    if (reached[i] === 1) {
      i++;
      continue;
    }
    const from = i;
    let padding = true;
    while (i < reached.length && reached[i] === 0) {
      const word = stepper.fetch(entry.start + 4 * i);
      padding &&= word === NOP || word === 0;
      i++;
    }
    const start = entry.start + 4 * from;
    const size = 4 * (i - from);
    ranges.push({ fn: entry.name, start, size, reason: reasonFor(trace, start, padding) });
  }
  return ranges;
}

function reasonFor(trace: FunctionTrace, start: Address, padding: boolean): UnreachedReason {
  if (trace.limited) return 'step-limit';
  if (padding) return 'padding';
  if (trace.noreturnAt.has(start - 4)) return 'after-noreturn';
  if (trace.unfollowed.length > 0) return 'indirect-jump';
  return trace.entry.part && trace.reached.every((flag) => flag === 0)
    ? 'part-not-entered'
    : 'no-path';
}
