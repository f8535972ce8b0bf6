/** The tables of a report: scenarios by policy, totals, and the unsafe verdicts that are promised. */
import { clipStart, wrap } from '../base/fit.js';
import type { BusyKprobeReason } from '../kernel-model/busy-kprobe.js';
import Table from 'cli-table3';
import type { KnownVerdict, ScenarioReport, SweepReport, VerdictCounts } from '../sweep/report.js';
import { type Verdict, VERDICTS } from '../scenarios/verdict.js';
import type { PolicyName } from '../unwinder/policy.js';
import { coverageRemark } from './sweep-coverage.js';
import { brief, count, plural, type Style } from './style.js';

/** Verdicts that make livepatch unsafe, or the kernel complain. */
const UNSAFE: readonly Verdict[] = ['missing', 'spurious', 'misordered', 'warned', 'fault'];
/** Characters of a scenario's name in the table: images have a path for a name. */
const MAX_NAME_WIDTH = 40;
/** How a cell of the scenario table abbreviates a verdict. */
const LETTERS: Readonly<Record<Verdict, string>> = {
  exact: 'e',
  unreliable: 'u',
  missing: 'm',
  spurious: 's',
  misordered: 'o',
  warned: 'w',
  fault: 'f',
};

/** All lines of the summary. */
export function* summaryLines(report: SweepReport, style: Style): Generator<string> {
  const policies = Object.keys(report.policies) as PolicyName[];
  yield* scenarioTable(report, policies, style);
  yield '';
  yield* totalsTable('reliable walks', report.policies, report, style);
  yield '';
  yield* totalsTable('best-effort walks', report.bestEffort, undefined, style);
  if (report.compared > 0) yield* ['', comparedLine(report)];
  yield* untakenLines(report);
  const known = mergeKnown(report.scenarios.flatMap((scenario) => scenario.known));
  if (known.length > 0) {
    yield '';
    yield style.colors.bold("promised unsafe verdicts: known bugs, seeded or the kernel's own");
    for (const line of knownLines(known, policies, style)) yield line;
  }
}

/** How far the kernel's own unwinder was held against the model, and with what outcome. */
function comparedLine({ compared, scenarios }: SweepReport): string {
  const found = scenarios
    .flatMap(({ disagreements }) => disagreements)
    .reduce((sum, { count: times }) => sum + times, 0);
  const outcome = found === 0 ? 'no disagreement' : plural(found, 'disagreement');
  return `the kernel's own unwinder and the model: ${plural(compared, 'walk')} compared, ${outcome}`;
}

/** What becomes of a breakpoint while the kernel is busy with another kprobe. */
const UNTAKEN: Readonly<Record<BusyKprobeReason, string>> = {
  'kprobe-missed': 'the kernel counts it as missed, and calls no handler',
  'kprobe-unrecoverable': 'the kernel cannot recover: BUG',
  'kprobe-oops': 'the kernel warns, and dies of it',
};

/** Breakpoints at which nothing asks for a walk: what of them is no finding of the unwinder's. */
function* untakenLines({ untaken }: SweepReport): Generator<string> {
  const entries = Object.entries(untaken) as [BusyKprobeReason, number][];
  if (entries.length === 0) return;
  yield '';
  yield 'breakpoints not taken, because the kernel is busy with another kprobe:';
  for (const [reason, times] of entries) {
    yield `  ${count(times).padStart(9)}  ${reason}: ${UNTAKEN[reason]}`;
  }
}

/** The last line: how much, how fast, and the judgement. @param memory of the largest worker, bytes */
export function verdictLine(report: SweepReport, memory: number, { colors }: Style): string {
  const { points, scenarios, seconds, pointsPerSecond, jobs, unexpected } = report;
  const swept = `${plural(points, 'point')} in ${plural(scenarios.length, 'scenario')}`;
  const workers = `${plural(jobs, 'worker')} of up to ${Math.round(memory / 1e6)} MB`;
  const speed = `${seconds.toFixed(1)} s, ${count(pointsPerSecond)} points/s, ${workers}`;
  const judgement =
    unexpected === 0
      ? colors.green(`all as promised${coverageRemark(report)}`)
      : colors.red(`${count(unexpected)} unexpected`);
  return `${swept}, ${speed}: ${judgement}`;
}

function plainTable(head: string[], colAligns: Table.HorizontalAlignment[]): Table.Table {
  return new Table({
    head,
    colAligns,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
    chars: {
      top: '',
      'top-mid': '',
      'top-left': '',
      'top-right': '',
      bottom: '',
      'bottom-mid': '',
      'bottom-left': '',
      'bottom-right': '',
      left: '',
      'left-mid': '',
      mid: '',
      'mid-mid': '',
      right: '',
      'right-mid': '',
      middle: '',
    },
  });
}

function tableLines(table: Table.Table): string[] {
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd());
}

function* scenarioTable(
  { scenarios }: SweepReport,
  policies: readonly PolicyName[],
  { colors }: Style,
): Generator<string> {
  // Names of policies break at their dash: two short lines make narrow columns.
  const heads = policies.map((policy) => policy.replace('-', '-\n'));
  const table = plainTable(
    [...['\nscenario', '\npoints', ...heads].map(boldLines(colors))],
    ['left', 'right'],
  );
  for (const scenario of scenarios) {
    const { points, unexpected } = scenario;
    const name = clipStart(scenario.name, MAX_NAME_WIDTH);
    table.push([
      unexpected === 0 ? name : colors.red(`✗ ${name}`),
      count(points),
      ...policies.map((policy) => policyCell(scenario, policy, colors)),
    ]);
  }
  yield* tableLines(table);
  yield colors.dim('  % of reliable walks exact, the rest unreliable (safe), and the unsafe ones:');
  yield colors.dim(
    '  m missing, s spurious, o misordered, w warned, f fault; ! where not promised (no known bug)',
  );
}

function boldLines(colors: Style['colors']): (text: string) => string {
  return (text) =>
    text
      .split('\n')
      .map((line) => (line === '' ? '' : colors.bold(line)))
      .join('\n');
}

/** `80% m120 w3!`; exact counts are in the totals and in the JSON. */
function policyCell(
  { policies, unexpectedVerdicts }: ScenarioReport,
  policy: PolicyName,
  colors: Style['colors'],
): string {
  const counts = policies[policy];
  const walks = counts === undefined ? 0 : total(counts);
  if (counts === undefined || walks === 0) return colors.dim('-');
  const parts = [percentage(counts.exact, walks).padStart(4)];
  for (const verdict of VERDICTS) {
    const wrong = unexpectedVerdicts[policy]?.[verdict] ?? 0;
    const promised = UNSAFE.includes(verdict) ? counts[verdict] - wrong : 0;
    if (promised > 0) parts.push(colors.yellow(`${LETTERS[verdict]}${brief(promised)}`));
    if (wrong > 0) parts.push(colors.red(`${LETTERS[verdict]}${brief(wrong)}!`));
  }
  return parts.join(' ');
}

/** Rounded towards the uncertain: 100% only when it is all of them. */
function percentage(part: number, whole: number): string {
  const percent = Math.floor((100 * part) / whole);
  return part > 0 && percent === 0 ? '<1%' : `${percent}%`;
}

function total(counts: VerdictCounts): number {
  return VERDICTS.reduce((sum, verdict) => sum + counts[verdict], 0);
}

/** @param report tells promised from unexpected; undefined where nothing is promised */
function* totalsTable(
  title: string,
  totals: Partial<Record<PolicyName, VerdictCounts>>,
  report: SweepReport | undefined,
  { colors }: Style,
): Generator<string> {
  const table = plainTable([title, ...VERDICTS].map(boldLines(colors)), [
    'left',
    ...VERDICTS.map(() => 'right' as const),
  ]);
  for (const [policy, counts] of Object.entries(totals) as [PolicyName, VerdictCounts][]) {
    const cells = VERDICTS.map((verdict) => {
      const all = counts[verdict];
      if (report === undefined || all === 0) return all === 0 ? colors.dim('0') : count(all);
      const wrong = report.scenarios.reduce(
        (sum, scenario) => sum + (scenario.unexpectedVerdicts[policy]?.[verdict] ?? 0),
        0,
      );
      const promised = all - wrong;
      const known = UNSAFE.includes(verdict)
        ? colors.yellow(`${count(promised)} known`)
        : count(promised);
      const lines = [
        ...(promised > 0 ? [known] : []),
        ...(wrong > 0 ? [colors.red(`${count(wrong)}!`)] : []),
      ];
      return lines.join('\n');
    });
    table.push([policy, ...cells]);
  }
  yield* tableLines(table);
}

/** A promise that was made use of, over all scenarios. */
interface KnownGroup {
  readonly verdict: Verdict;
  readonly reason: string;
  readonly bestEffort: boolean;
  readonly counts: Map<PolicyName, number>;
}

function mergeKnown(verdicts: readonly KnownVerdict[]): KnownGroup[] {
  const groups = new Map<string, KnownGroup>();
  for (const { verdict, reason, mode, policy, count: number } of verdicts) {
    const bestEffort = mode === 'best-effort';
    const key = `${verdict} ${mode} ${reason}`;
    const known = groups.get(key);
    const group: KnownGroup = known ?? { verdict, reason, bestEffort, counts: new Map() };
    group.counts.set(policy, (group.counts.get(policy) ?? 0) + number);
    groups.set(key, group);
  }
  return [...groups.values()]
    .filter(({ verdict, reason, bestEffort }) => {
      // A WARN comes in both modes: said once.
      return !bestEffort || !groups.has(`${verdict} reliable ${reason}`);
    })
    .sort((a, b) => VERDICTS.indexOf(a.verdict) - VERDICTS.indexOf(b.verdict));
}

function* knownLines(
  known: readonly KnownGroup[],
  policies: readonly PolicyName[],
  { colors, width }: Style,
): Generator<string> {
  for (const { verdict, reason, bestEffort, counts } of known) {
    const sum = [...counts.values()].reduce((a, b) => a + b, 0);
    const who =
      counts.size === policies.length && policies.length > 1
        ? 'every policy'
        : policies.filter((policy) => counts.has(policy)).join(', ');
    const where = bestEffort ? `${who}; best-effort` : who;
    const label = `${verdict.padEnd(11)}${count(sum).padStart(9)}`;
    const lines = wrap(`${reason} (${where})`, width - 24);
    yield `  ${colors.yellow(label)}  ${lines[0] ?? ''}`;
    for (const line of lines.slice(1)) yield `${' '.repeat(24)}${line}`;
  }
}
