/** Verifies functions of a program in this process. */
import type { Address } from '../base/address.js';
import type { EngineBackend } from '../emulator/engine.js';
import { ok, type Result } from '../base/result.js';
import { formatRule } from '../unwinder/rule-text.js';
import { CfaBase, RecoverKind, ruleAt, type UnwindRule } from '../unwinder/unwind-rule.js';
import { DataStepper } from './data-step.js';
import { Executor } from './executor.js';
import { type Finding, type FindingKind, type GroupResult, noCounts } from './finding.js';
import { type FunctionEntry, FunctionList } from './function-list.js';
import type { FunctionTrace } from './function-trace.js';
import { findNoreturn } from './noreturn.js';
import type { Program } from './program.js';
import { makeReport, type VerifyReport } from './report.js';
import { readRunTimeEdges, type RunTimeEdges } from './run-time-edges.js';
import { checkTable } from './table-checks.js';
import { unreachedRanges, unreachedRows } from './unreached.js';

/**
 * Each group is run once with each seed for unknown values. A row that is true in one run by accident of
 * an unknown value is not in the other.
 */
const SEEDS: readonly number[] = [1, 0x3d];

/** How many instructions before its own are kept with a finding. */
const CONTEXT = 3;

/** Verifies a program, group by group. */
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

  /** Call an observer with every state of every path; undefined stops that. */
  observe(observer: Executor['observer']): void {
    this.executor.observer = observer;
  }

  /** Execute and check one group of functions. */
  run(group: readonly FunctionEntry[]): { traces: FunctionTrace[]; findings: Finding[] } {
    const traces = this.execute(group);
    const findings = checkTable(this.list, group).map(({ kind, entry, row, pc, detail }) =>
      this.finding(kind, entry, row, pc, detail),
    );
    for (const { entry, observations } of traces) {
      for (const { kind, row, pc, truth } of observations) {
        findings.push(this.finding(kind, entry, row, pc, truth));
      }
    }
    return { traces, findings };
  }

  private execute(group: readonly FunctionEntry[]): FunctionTrace[] {
    const [first, ...others] = SEEDS.map((seed) => this.executor.run(group, seed));
    if (first === undefined) return [];
    for (const other of others) {
      for (const [i, trace] of other.entries()) first[i]?.merge(trace);
    }
    return first;
  }

  private finding(
    kind: FindingKind,
    entry: FunctionEntry,
    row: number,
    pc: Address,
    detail: string,
  ): Finding {
    const rule = ruleOf(entry, row);
    const middle = Math.floor(pc / 4) * 4;
    const words: number[] = [];
    for (let at = middle - 4 * CONTEXT; at <= middle; at += 4) {
      words.push(at < entry.start ? 0 : (this.stepper.fetch(at) ?? 0));
    }
    return {
      kind,
      fn: entry.name,
      start: entry.start,
      row,
      pc,
      rule: rule === undefined ? '' : formatRule(rule),
      detail,
      leaf: rule !== undefined && isLeaf(entry, rule),
      words,
    };
  }

  /** Execute and check one group of functions. @returns plain values, which can be sent */
  examine(group: readonly FunctionEntry[]): GroupResult {
    const refused = this.stepper.refused;
    const { traces, findings } = this.run(group);
    const counts = noCounts();
    const result = { counts, findings, notes: [], unreached: [], unreachedRows: [], skipped: [] };
    const parts: GroupResult[] = traces.map((trace) => {
      const { name: fn, start, size } = trace.entry;
      const own = findings.filter((finding) => finding.start === start);
      const wrongRows = new Set(own.map(({ row }) => row).filter((row) => row >= 0));
      const ranges = unreachedRanges(trace, this.stepper);
      const rows = unreachedRows(trace, ranges, wrongRows);
      counts.functions++;
      if (own.length > 0) counts.functionsWrong++;
      counts.instructions += trace.reached.length;
      counts.reached += trace.reached.reduce((sum, flag) => sum + flag, 0);
      counts.compared += trace.compared.reduce((sum, flag) => sum + flag, 0);
      counts.rows += trace.rowSeen.length;
      counts.rowsWrong += wrongRows.size;
      counts.rowsUnreached += rows.length;
      const reason = size < 4 ? 'it has no instructions' : undefined;
      return {
        ...result,
        counts: noCounts(),
        notes: trace.remarks.map((remark) => ({ ...remark, fn, start })),
        unreached: ranges,
        unreachedRows: rows,
        skipped: reason === undefined ? [] : [{ fn, start, reason }],
      };
    });
    counts.refused = this.stepper.refused - refused;
    return {
      counts,
      findings,
      notes: parts.flatMap(({ notes }) => notes),
      unreached: parts.flatMap(({ unreached }) => unreached),
      unreachedRows: parts.flatMap((part) => part.unreachedRows),
      skipped: parts.flatMap(({ skipped }) => skipped),
    };
  }

  /** The groups in which at least one function, or its symbol, has a wanted name. */
  groups(wanted: (name: string) => boolean): FunctionEntry[][] {
    return this.list
      .groups()
      .filter((group) => group.some(({ name, symbol }) => wanted(name) || wanted(symbol)));
  }

  /** Verify the groups in which at least one function has a wanted name. */
  verify(wanted: (name: string) => boolean): VerifyReport {
    return makeReport(this.groups(wanted).map((group) => this.examine(group)));
  }

  /** Free the engine. */
  close(): void {
    this.stepper.close();
  }
}

function ruleOf({ table, fde }: FunctionEntry, row: number): UnwindRule | undefined {
  if (row < 0) return undefined;
  const first = table.functions.firstRow[fde] as number;
  return ruleAt(table.rules, table.rows.rule[first + row] as number);
}

/** Whether the function has a single row, which says that nothing is on the stack. */
function isLeaf({ table, fde }: FunctionEntry, rule: UnwindRule): boolean {
  return (
    table.functions.rowCount[fde] === 1 &&
    rule.cfaBase === CfaBase.SP &&
    rule.cfaOffset === 0 &&
    rule.raKind === RecoverKind.UNCHANGED &&
    rule.fpKind === RecoverKind.UNCHANGED
  );
}
