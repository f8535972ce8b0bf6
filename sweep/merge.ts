/** Merges the answers to one scenario's units, in the order of the units. */
import { disagreementCount } from './disagreement-groups.js';
import {
  acceptedVerdicts,
  allowance,
  isAllowed,
  unmetRequirements,
  type SweptScope,
} from './promises.js';
import {
  type Finding,
  type KnownVerdict,
  noVerdicts,
  type ScenarioReport,
  type VerdictCounts,
} from './report.js';
import type {
  CellReport,
  DisagreementReport,
  ProblemReport,
  UnitResult,
  UntakenCounts,
} from './unit.js';
import { BUSY_KPROBE_REASONS, type BusyKprobeReason } from '../kernel-model/busy-kprobe.js';
import type { LabTarget } from '../lab/target.js';
import type { Scenario } from '../scenarios/scenario.js';
import type { PolicyName } from '../unwinder/policy.js';

type PerPolicy<T> = Partial<Record<PolicyName, T>>;

/** Most findings that a report lists for a scenario. */
const MAX_FINDINGS = 50;

/**
 * The report of one scenario.
 * @param results in the order of the units; one whose worker died may be missing
 * @param scope what was swept; undefined when that was only a part, so that requirements cannot be
 * judged
 * @param replay the command line that replays a point
 */
export function mergeScenario(
  target: LabTarget,
  policies: readonly PolicyName[],
  instructions: number,
  results: readonly UnitResult[],
  extraProblems: readonly ProblemReport[],
  scope: SweptScope | undefined,
  replay: (point: string, policy?: PolicyName) => string,
): ScenarioReport {
  const { scenario } = target;
  const cells = mergeCells(results);
  const reliable: PerPolicy<VerdictCounts> = {};
  const bestEffort: PerPolicy<VerdictCounts> = {};
  const unexpectedVerdicts: PerPolicy<VerdictCounts> = {};
  const reasons: PerPolicy<Record<string, number>> = {};
  for (const policy of policies) {
    reliable[policy] = noVerdicts();
    bestEffort[policy] = noVerdicts();
    unexpectedVerdicts[policy] = noVerdicts();
    reasons[policy] = {};
  }
  const findings: Finding[] = [];
  let unexpected = 0;
  for (const cell of cells) {
    const counts = (cell.mode === 'reliable' ? reliable : bestEffort)[cell.policy];
    if (counts !== undefined) counts[cell.verdict] += cell.count;
    if (isAllowed(scenario, cell)) continue;
    unexpected += cell.count;
    const wrong = unexpectedVerdicts[cell.policy];
    if (wrong !== undefined && cell.mode === 'reliable') wrong[cell.verdict] += cell.count;
    if (cell.example === undefined || findings.length >= MAX_FINDINGS) continue;
    const { example } = cell;
    findings.push({
      scenario: scenario.name,
      fn: cell.fn,
      kind: cell.kind,
      depth: cell.depth,
      count: cell.count,
      accepted: acceptedVerdicts(scenario, cell),
      example,
      replay: replay(example.point, example.policy),
    });
  }
  for (const { policy, reason, count } of results.flatMap((result) => result.reasons)) {
    const counts = (reasons[policy] ??= {});
    counts[reason] = (counts[reason] ?? 0) + count;
  }
  const problems = [
    ...extraProblems,
    ...rowProblems(scenario, results, scope !== undefined),
    ...onceSaved(results.flatMap((result) => result.problems)),
  ].map((problem) =>
    problem.point === undefined ? problem : { ...problem, replay: replay(problem.point) },
  );
  const disagreements = mergeDisagreements(results).map((found) => ({
    ...found,
    replay: replay(found.example.point),
  }));
  const unmet = scope === undefined ? [] : unmetRequirements(scenario, cells, scope);
  return {
    name: scenario.name,
    points: results.reduce((sum, result) => sum + result.points, 0),
    compared: results.reduce((sum, result) => sum + result.compared, 0),
    instructions,
    unexpected: unexpected + unmet.length + problems.length + disagreementCount(disagreements),
    policies: reliable,
    bestEffort,
    reasons,
    untaken: sumUntaken(results.map((result) => result.untaken)),
    unexpectedVerdicts,
    known: knownVerdicts(scenario, cells),
    findings,
    unmet,
    problems,
    ...(scenario.expectExact === undefined ? {} : { judged: judgedFunctions(cells) }),
    disagreements,
  };
}

function judgedFunctions(cells: readonly CellReport[]): string[] {
  const reliable = cells.filter(({ mode }) => mode === 'reliable');
  return [...new Set(reliable.map(({ fn }) => fn))].sort();
}

/** Of equal differences in pt_regs, which units find one by one, the first. */
function onceSaved(problems: readonly ProblemReport[]): ProblemReport[] {
  const seen = new Set<string>();
  return problems.filter(({ saved, point }) => {
    if (saved === undefined) return true;
    // The kinds of the point, without its indices.
    const key = `${saved.register} ${point?.replace(/\d+/g, '')}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** Sums by reason, in the order of the reasons. */
export function sumUntaken(counts: readonly UntakenCounts[]): UntakenCounts {
  const sums: Partial<Record<BusyKprobeReason, number>> = {};
  for (const reason of BUSY_KPROBE_REASONS) {
    const sum = counts.reduce((times, { [reason]: more = 0 }) => times + more, 0);
    if (sum > 0) sums[reason] = sum;
  }
  return sums;
}

/** Sum equal disagreements; the example comes from the earliest unit. */
function mergeDisagreements(results: readonly UnitResult[]): DisagreementReport[] {
  const merged = new Map<string, DisagreementReport>();
  for (const found of results.flatMap((result) => result.disagreements)) {
    const { fn, kind, depth, difference, example } = found;
    const key = `${fn} ${kind} ${depth} ${difference} ${example.policy} ${example.mode}`;
    const known = merged.get(key);
    const count = (known?.count ?? 0) + found.count;
    merged.set(key, { ...(known ?? found), count });
  }
  return [...merged.values()];
}

/** Unsafe verdicts that a promise accepts, summed by the promise's reason. */
function knownVerdicts(scenario: Scenario, cells: readonly CellReport[]): KnownVerdict[] {
  const known = new Map<string, KnownVerdict>();
  for (const cell of cells) {
    const { policy, mode, verdict } = cell;
    if (verdict === 'exact' || verdict === 'unreliable') continue;
    if (mode === 'best-effort' && verdict !== 'warned') continue;
    const allowed = allowance(scenario, cell);
    if (allowed === undefined) continue;
    const { reason } = allowed;
    const key = `${policy} ${mode} ${verdict} ${reason}`;
    const count = (known.get(key)?.count ?? 0) + cell.count;
    known.set(key, { policy, mode, verdict, count, reason });
  }
  return [...known.values()];
}

/** Sum equal cells; the example comes from the earliest unit. */
function mergeCells(results: readonly UnitResult[]): CellReport[] {
  const merged = new Map<string, { cell: CellReport; count: number }>();
  for (const { cells } of results) {
    for (const cell of cells) {
      const key = `${cell.fn} ${cell.kind} ${cell.depth} ${cell.policy} ${cell.mode} ${cell.verdict}`;
      const known = merged.get(key);
      if (known === undefined) {
        merged.set(key, { cell, count: cell.count });
      } else {
        known.count += cell.count;
        if (known.cell.example === undefined && cell.example !== undefined) known.cell = cell;
      }
    }
  }
  return [...merged.values()].map(({ cell, count }) => ({ ...cell, count }));
}

/**
 * Wrong SFrame rows that the scenario does not announce, and rows that it announces but that were
 * not seen to be wrong.
 */
function rowProblems(
  scenario: Scenario,
  results: readonly UnitResult[],
  whole: boolean,
): ProblemReport[] {
  const announced = scenario.wrongRows ?? [];
  const seen = new Map(
    results.flatMap((result) => result.wrongRows).map((row) => [`${row.fault} ${row.at}`, row]),
  );
  const functions = new Set([...seen.values()].map((row) => row.fn));
  const problems: ProblemReport[] = [...seen.values()]
    .filter((row) => !announced.includes(row.fn))
    .map(({ at, detail }) => ({ kind: 'wrong-row', point: undefined, at, detail }));
  if (!whole) return problems;
  for (const fn of announced) {
    if (functions.has(fn)) continue;
    const detail = `the rows of ${fn} are declared wrong, but none was found to be`;
    problems.push({ kind: 'wrong-row-unseen', point: undefined, at: '', detail });
  }
  return problems;
}
