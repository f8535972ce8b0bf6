/** Shows a sweep's report as lines: the judgement first, then what it is based on. */
import { disagreementCount } from '../sweep/disagreement-groups.js';
import { wrap } from '../base/fit.js';
import type { BusyKprobeReason } from '../kernel-model/busy-kprobe.js';
import type { PartialSweep, SweepReport } from '../sweep/report.js';
import { disagreementLines, findingLines } from './findings.js';
import { knownLines } from './known-verdicts.js';
import { policyHint } from './policy-hint.js';
import { replayLines } from './point-replay.js';
import type { SweepOutcome } from '../sweep/sweep.js';
import { count, plural } from '../base/number-text.js';
import type { Style } from './style.js';
import { coverageLines, coverageRemark } from './sweep-coverage.js';
import { scenarioTable, totalsTable } from './sweep-tables.js';

/**
 * The lines for a sweep. The judgement comes first, because what follows may be long. It is
 * repeated at the end, because that is what a terminal shows.
 * @param known whether to show every known bug, or only their number
 */
export function* sweepLines(
  { report, peakMemory }: Pick<SweepOutcome, 'report' | 'peakMemory'>,
  known: boolean,
  style: Style,
): Generator<string> {
  yield verdictLine(report, style);
  yield* coverageLines(report, style);
  yield* findingLines(report, style);
  yield* policyHint(report, style);
  yield '';
  yield* scenarioTable(report, style);
  yield '';
  yield* totalsTable('reliable', report.policies, report, style);
  yield '';
  yield* totalsTable('best-effort', report.bestEffort, undefined, style);
  if (report.compared > 0) yield* ['', ...wrap(comparedText(report), style.width)];
  yield* untakenLines(report, style);
  yield* knownLines(report, known, style);
  yield '';
  yield speedLine(report, peakMemory);
  yield verdictLine(report, style);
}

/** The lines for a sweep of one point, with its walks instead of tables. */
export function* pointLines(
  { report, walks }: Pick<SweepOutcome, 'report' | 'walks'>,
  style: Style,
): Generator<string> {
  yield* replayLines(report, walks, style);
  if (report.scenarios.some(({ problems }) => problems.length > 0)) {
    yield* findingLines(report, style);
  } else {
    yield* disagreementLines(report, style);
  }
  yield* policyHint(report, style);
}

/** How often the kernel's own unwinder was compared with the model, and with what outcome. */
function comparedText({ compared, scenarios }: SweepReport): string {
  const found = disagreementCount(scenarios.flatMap(({ disagreements }) => disagreements));
  const outcome = found === 0 ? 'no disagreement' : plural(found, 'disagreement');
  return `the kernel's own unwinder and the model: ${plural(compared, 'walk')} compared, ${outcome}`;
}

/** What happens to a breakpoint while the kernel is busy with another kprobe. */
const UNTAKEN: Readonly<Record<BusyKprobeReason, string>> = {
  'kprobe-missed': 'the kernel counts it as missed, and calls no handler',
  'kprobe-unrecoverable': 'the kernel cannot recover: BUG',
  'kprobe-oops': 'the kernel warns, then oopses',
};

/** Breakpoints at which nothing asks for a walk, so that they say nothing about the unwinder. */
function* untakenLines({ untaken }: SweepReport, { width }: Style): Generator<string> {
  const entries = Object.entries(untaken) as [BusyKprobeReason, number][];
  if (entries.length === 0) return;
  yield '';
  yield 'breakpoints not taken, because the kernel is busy with another kprobe:';
  for (const [reason, times] of entries) {
    const lines = wrap(`${reason}: ${UNTAKEN[reason]}`, width - 13);
    yield* lines.map((line, i) => `  ${(i === 0 ? count(times) : '').padStart(9)}  ${line}`);
  }
}

/** How much was swept, and the judgement. */
function verdictLine(report: SweepReport, { colors }: Style): string {
  const { points, scenarios, unexpected, partial } = report;
  const swept = `${plural(points, 'point')} in ${plural(scenarios.length, 'scenario')}`;
  if (partial !== undefined) {
    const all = count(pointsInAll(points, partial));
    const found = unexpected === 0 ? 'nothing' : count(unexpected);
    return `${swept}: ${colors.yellow(`partial, of about ${all} points`)}, ${found} unexpected so far`;
  }
  const judgement =
    unexpected === 0
      ? colors.green(`all as promised${coverageRemark(report)}`)
      : colors.red(`${count(unexpected)} unexpected`);
  return `${swept}: ${judgement}`;
}

/** About how many points an interrupted sweep would have had, to two digits. */
function pointsInAll(points: number, { done, total }: PartialSweep): number {
  const all = (points * total) / Math.max(1, done);
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(all)) - 1);
  return Math.max(points + 1, Math.round(all / unit) * unit);
}

/** How fast the sweep was. @param memory of the largest worker, in bytes */
function speedLine({ seconds, pointsPerSecond, jobs }: SweepReport, memory: number): string {
  const workers = `${plural(jobs, 'worker')} of up to ${Math.round(memory / 1e6)} MB`;
  return `${seconds.toFixed(1)} s, ${count(pointsPerSecond)} points/s, ${workers}`;
}
