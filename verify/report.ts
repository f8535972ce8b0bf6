/** The report on a whole file, made from the results of its groups. */
import { type Cause, findCauses } from './cause.js';
import {
  addCounts,
  type Counts,
  type Finding,
  type GroupResult,
  noCounts,
  type Note,
  type SkippedFunction,
  type UnreachedRange,
  type UnreachedRow,
} from './finding.js';

/** Why a function was skipped whose turn had not come when verifying was interrupted. */
export const INTERRUPTED = 'interrupted';

/** The report on a file. */
export interface VerifyReport {
  readonly functions: { readonly total: number; readonly wrong: number };
  readonly instructions: { readonly total: number; readonly reached: number };
  readonly rows: {
    readonly total: number;
    readonly verified: number;
    readonly wrong: number;
    readonly unreached: number;
  };
  readonly causes: readonly Cause[];
  readonly findings: readonly Finding[];
  readonly notes: readonly Note[];
  readonly unreached: readonly UnreachedRange[];
  readonly unreachedRows: readonly UnreachedRow[];
  readonly skipped: readonly SkippedFunction[];
  /** Instructions at which DWARF was judged as well as SFrame. */
  readonly comparedWithDwarf: number;
  /** Executed instructions that the engine does not know. Their results were treated as unknown. */
  readonly refusedInstructions: number;
}

/** Whether verifying was interrupted, so that functions were skipped. */
export function isPartial({ skipped }: Pick<VerifyReport, 'skipped'>): boolean {
  return skipped.some(({ reason }) => reason === INTERRUPTED);
}

/** Make a report. It is the same for any order of the results. */
export function makeReport(results: readonly GroupResult[]): VerifyReport {
  const sum: Counts = noCounts();
  for (const { counts } of results) addCounts(sum, counts);
  const findings = results
    .flatMap((result) => result.findings)
    .sort((a, b) => a.start - b.start || a.pc - b.pc || a.row - b.row || byText(a.kind, b.kind));
  return {
    functions: { total: sum.functions, wrong: sum.functionsWrong },
    instructions: { total: sum.instructions, reached: sum.reached },
    rows: {
      total: sum.rows,
      verified: sum.rows - sum.rowsWrong - sum.rowsUnreached,
      wrong: sum.rowsWrong,
      unreached: sum.rowsUnreached,
    },
    causes: findCauses(findings),
    findings,
    notes: results.flatMap(({ notes }) => notes).sort((a, b) => a.pc - b.pc),
    unreached: results.flatMap(({ unreached }) => unreached).sort((a, b) => a.start - b.start),
    unreachedRows: results
      .flatMap(({ unreachedRows }) => unreachedRows)
      .sort((a, b) => a.pc - b.pc || a.row - b.row),
    skipped: results.flatMap(({ skipped }) => skipped).sort((a, b) => a.start - b.start),
    comparedWithDwarf: sum.compared,
    refusedInstructions: sum.refused,
  };
}

function byText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
