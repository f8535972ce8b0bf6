/**
 * The tables of a sweep's report: scenarios by policy, and totals, in a form that fits the width.
 */
import { clipStart, wrap } from '../base/fit.js';
import Table from 'cli-table3';
import type { ScenarioReport, SweepReport, VerdictCounts } from '../sweep/report.js';
import { type Verdict, VERDICTS } from '../scenarios/verdict.js';
import type { PolicyName } from '../unwinder/policy.js';
import { count } from '../base/number-text.js';
import { brief, type Style } from './style.js';

/** Verdicts that make livepatch unsafe, or the kernel complain. */
const UNSAFE: readonly Verdict[] = ['missing', 'spurious', 'misordered', 'warned', 'fault'];
/** Most characters of a scenario's name in the table: the name of an image is a path. */
const MAX_NAME_WIDTH = 40;
const MIN_NAME_WIDTH = 12;
/** Columns that are enough for six policies with the counts of their unsafe verdicts. */
const FULL_WIDTH = 160;
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

/** @param gap characters between columns */
function plainTable(
  head: string[],
  colAligns: Table.HorizontalAlignment[],
  gap: number,
): Table.Table {
  return new Table({
    head,
    colAligns,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': gap },
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

/** Form of a table: complete, or with columns as narrow as possible. */
type Form = 'full' | 'narrow';

/** The lines of the full form, or of the narrow one if the full one does not fit. */
function fitting(
  lines: (form: Form) => string[],
  { width }: Style,
): { form: Form; lines: string[] } {
  const full = lines('full');
  const fits = full.every((line) => visibleLength(line) <= width);
  return fits ? { form: 'full', lines: full } : { form: 'narrow', lines: lines('narrow') };
}

function visibleLength(line: string): number {
  // eslint-disable-next-line no-control-regex -- the escape character begins every colour
  return line.replace(/\u001b\[\d+m/g, '').length;
}

/** Scenarios by policy. If the counts do not fit, only the letters of the verdicts are shown. */
export function* scenarioTable(report: SweepReport, style: Style): Generator<string> {
  const policies = Object.keys(report.policies) as PolicyName[];
  const { form, lines } = fitting(
    (wanted) => scenarioRows(report.scenarios, policies, wanted, style),
    style,
  );
  yield* lines;
  const legend =
    '% of reliable walks exact, the rest unreliable (safe), and the unsafe ones: m missing, ' +
    's spurious, o misordered, w warned, f fault; ! where not promised (no known bug)';
  const more =
    form === 'full' ? '' : `; a wider terminal, or COLUMNS=${FULL_WIDTH}, has their numbers`;
  const shown = wrap(legend + more, style.width - 2);
  yield* shown.map((line) => style.colors.dim(`  ${line}`));
}

function scenarioRows(
  scenarios: readonly ScenarioReport[],
  policies: readonly PolicyName[],
  form: Form,
  { colors, width }: Style,
): string[] {
  // Names of policies break at their dash, because two short lines make narrow columns.
  const heads = policies.map((policy) => policy.replace('-', '-\n'));
  const cells = scenarios.map((scenario) => [
    count(scenario.points),
    ...policies.map((policy) => policyCell(scenario, policy, form, colors)),
  ]);
  const gap = form === 'full' ? 2 : 1;
  const titles = ['\npoints', ...heads];
  const widths = titles.map((title, column) =>
    Math.max(
      ...title.split('\n').map(({ length }) => length),
      ...cells.map((row) => visibleLength(row[column] ?? '')),
    ),
  );
  const rest = widths.reduce((sum, one) => sum + one + gap, 0);
  const room = form === 'full' ? MAX_NAME_WIDTH : Math.max(MIN_NAME_WIDTH, width - rest);
  const table = plainTable(
    ['\nscenario', ...titles].map(boldLines(colors)),
    ['left', 'right'],
    gap,
  );
  for (const [i, { name, unexpected }] of scenarios.entries()) {
    const mark = unexpected === 0 ? '' : '✗ ';
    const shown = mark + clipStart(name, Math.min(MAX_NAME_WIDTH, room) - mark.length);
    table.push([mark === '' ? shown : colors.red(shown), ...(cells[i] ?? [])]);
  }
  return tableLines(table);
}

function boldLines(colors: Style['colors']): (text: string) => string {
  return (text) =>
    text
      .split('\n')
      .map((line) => (line === '' ? '' : colors.bold(line)))
      .join('\n');
}

/** `80% m120 w3!`, or `80% mw!`. Exact counts are in the totals and in the JSON. */
function policyCell(
  { policies, unexpectedVerdicts }: ScenarioReport,
  policy: PolicyName,
  form: Form,
  colors: Style['colors'],
): string {
  const counts = policies[policy];
  const walks = counts === undefined ? 0 : total(counts);
  if (counts === undefined || walks === 0) return colors.dim('-');
  const marks: string[] = [];
  for (const verdict of VERDICTS) {
    const wrong = unexpectedVerdicts[policy]?.[verdict] ?? 0;
    const promised = UNSAFE.includes(verdict) ? counts[verdict] - wrong : 0;
    const letter = LETTERS[verdict];
    const number = (value: number): string => (form === 'full' ? brief(value) : '');
    if (promised > 0) marks.push(colors.yellow(`${letter}${number(promised)}`));
    if (wrong > 0) marks.push(colors.red(`${letter}${number(wrong)}!`));
  }
  const share = percentage(counts.exact, walks).padStart(4);
  if (form === 'full') return [share, ...marks].join(' ');
  return marks.length === 0 ? share : `${share} ${marks.join('')}`;
}

/** Rounded down, except that some is never 0%. 100% means all. */
function percentage(part: number, whole: number): string {
  const percent = Math.floor((100 * part) / whole);
  return part > 0 && percent === 0 ? '<1%' : `${percent}%`;
}

function total(counts: VerdictCounts): number {
  return VERDICTS.reduce((sum, verdict) => sum + counts[verdict], 0);
}

/**
 * All walks of a mode, by policy and verdict.
 * @param report tells promised from unexpected; undefined when nothing is promised
 */
export function totalsTable(
  mode: 'reliable' | 'best-effort',
  totals: Partial<Record<PolicyName, VerdictCounts>>,
  report: SweepReport | undefined,
  style: Style,
): string[] {
  return fitting((form) => totalRows(mode, totals, report, form, style), style).lines;
}

function totalRows(
  mode: 'reliable' | 'best-effort',
  totals: Partial<Record<PolicyName, VerdictCounts>>,
  report: SweepReport | undefined,
  form: Form,
  { colors }: Style,
): string[] {
  const title = form === 'full' ? `${mode} walks` : mode;
  const columns = ['left' as const, ...VERDICTS.map(() => 'right' as const)];
  const head = [title, ...VERDICTS].map(boldLines(colors));
  const table = plainTable(head, columns, form === 'full' ? 2 : 1);
  const wrongOf = (policy: PolicyName, verdict: Verdict): number =>
    (report?.scenarios ?? []).reduce(
      (sum, scenario) => sum + (scenario.unexpectedVerdicts[policy]?.[verdict] ?? 0),
      0,
    );
  for (const [policy, counts] of Object.entries(totals) as [PolicyName, VerdictCounts][]) {
    const cells = VERDICTS.map((verdict) => {
      const all = counts[verdict];
      if (report === undefined || all === 0) return all === 0 ? colors.dim('0') : count(all);
      const wrong = wrongOf(policy, verdict);
      const promised = all - wrong;
      const isKnown = UNSAFE.includes(verdict);
      const known = isKnown && form === 'full' ? ' known' : '';
      const text = `${count(promised)}${known}`;
      return [
        ...(promised > 0 ? [isKnown ? colors.yellow(text) : text] : []),
        ...(wrong > 0 ? [colors.red(`${count(wrong)}!`)] : []),
      ].join('\n');
    });
    table.push([policy, ...cells]);
  }
  return tableLines(table);
}
