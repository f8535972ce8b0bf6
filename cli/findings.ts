/** Shows what a sweep found that no promise covers: verdicts, unmet requirements, problems. */
import { wrap } from '../base/fit.js';
import {
  disagreementCount,
  type DisagreementGroup,
  groupDisagreements,
} from '../sweep/disagreement-groups.js';
import { type FindingGroup, groupFindings } from '../sweep/finding-groups.js';
import type { PointFilter } from '../scenarios/scenario.js';
import type { UnmetRequirement } from '../sweep/promises.js';
import type { ScenarioReport, SweepReport } from '../sweep/report.js';
import type { ProblemReport } from '../sweep/unit.js';
import { sideBySide } from './side-by-side.js';
import { count, firstNames, plural } from '../base/number-text.js';
import type { Style } from './style.js';

/** Most groups that are shown for a scenario that alone has findings. */
const MAX_ALONE = 20;
/** The same for a scenario that is one of several with findings. */
const MAX_EACH = 4;
/** Most scenarios that are shown in full. */
const MAX_SCENARIOS = 10;

/** Titles of problems. */
const PROBLEMS: Readonly<Record<ProblemReport['kind'], string>> = {
  engine: 'the engine stopped',
  'no-request': 'the handler failed',
  runaway: 'the guest ran away',
  'truth-path': 'ground truth is in doubt',
  'no-return': 'no return from the exception',
  'wrong-row': 'the CPU contradicts an SFrame row',
  'wrong-row-unseen': 'a seeded wrong row was not detected',
  'not-restored': 'the exception did not restore what it interrupted',
  'pt-regs-wrong': 'entry code saved what the CPU did not have',
  'unknown-instruction': 'an instruction unknown to the engine',
  'undefined-symbol': 'the code under test uses a symbol that its file does not define',
  unbooted: 'needs a booted kernel',
  warned: 'the kernel warned',
  bug: 'the kernel hit a BUG',
  scenario: 'the code under test crashed',
  'worker-died': 'a worker died',
  setup: 'the scenario cannot be set up',
  'wrong-result': 'wrong result',
};

/** The lines for everything unexpected. There are none when all is as promised. */
export function* findingLines(report: SweepReport, style: Style): Generator<string> {
  const wrong = report.scenarios.filter((scenario) => ownFindings(scenario) > 0);
  const most = wrong.length === 1 ? MAX_ALONE : MAX_EACH;
  for (const scenario of wrong.slice(0, MAX_SCENARIOS)) {
    yield '';
    yield style.colors.bold(`${scenario.name}: ${count(ownFindings(scenario))} unexpected`);
    yield* scenarioLines(scenario, most, style);
  }
  const rest = wrong.slice(MAX_SCENARIOS);
  if (rest.length > 0) {
    yield '';
    yield `and ${plural(rest.length, 'more scenario')} with unexpected verdicts:`;
    yield* wrap(rest.map(({ name }) => name).join(' '), style.width - 2).map((line) => `  ${line}`);
  }
  yield* disagreementLines(report, style);
}

/**
 * Number of unexpected results, without disagreements: those are shown for all scenarios together.
 */
function ownFindings({ unexpected, disagreements }: ScenarioReport): number {
  return unexpected - disagreementCount(disagreements);
}

function* scenarioLines(scenario: ScenarioReport, most: number, style: Style): Generator<string> {
  const { problems, unmet, findings } = scenario;
  const groups = groupFindings(findings);
  for (const problem of problems.slice(0, most)) yield* problemLines(problem, style);
  for (const requirement of unmet.slice(0, most)) yield* unmetLines(requirement, style);
  for (const group of groups.slice(0, most)) yield* groupLines(group, style);
  const more = [
    ...moreOf(problems.length - most, 'problem'),
    ...moreOf(unmet.length - most, 'unmet requirement'),
    ...moreOf(groups.length - most, 'unexpected verdict'),
  ];
  if (more.length > 0) yield `  … and ${more.join(', ')}; --json FILE has them all`;
}

function moreOf(number: number, noun: string): string[] {
  return number > 0 ? [plural(number, `more ${noun}`)] : [];
}

function* groupLines(group: FindingGroup, style: Style): Generator<string> {
  const { example, policies, kinds, count: number, depth, accepted, replay } = group;
  const { width } = style;
  const claimed = example.verdict !== 'unreliable' && example.mode === 'reliable';
  const why = example.reason === '' ? '' : ` (${example.reason})`;
  const inside = depth === 2 ? ' inside another exception' : '';
  const where = `${plural(number, 'time')} in ${group.fn}${inside}`;
  yield* headed(`✗ ${example.verdict}${why}`, ` ${where}`, style);
  yield* labelled(
    'under',
    `${policies.join(', ')}, ${example.mode}; kinds ${kinds.join(', ')}`,
    style,
  );
  yield* labelled('first at', `${example.at}: ${example.instruction}`, style);
  yield* labelled('promised', accepted.join(' or '), style);
  const lines = sideBySide(example.truth, example.trace, claimed, width - 8, style);
  yield* lines.map((line) => `        ${line}`);
  yield* commandLines(replay, style);
}

/**
 * The disagreements between the kernel's own unwinder and the model, each kind of disagreement
 * once.
 */
export function* disagreementLines(report: SweepReport, style: Style): Generator<string> {
  const groups = groupDisagreements(report);
  for (const group of groups.slice(0, MAX_ALONE)) {
    yield '';
    yield* oneDisagreement(group, style);
  }
  if (groups.length > MAX_ALONE) {
    yield `… and ${plural(groups.length - MAX_ALONE, 'more kind')} of disagreement; --json FILE has them all`;
  }
}

/** One group, with the model's and the kernel's trace of its first disagreement. */
function* oneDisagreement(group: DisagreementGroup, style: Style): Generator<string> {
  const { example, model, difference, count: number, functions, kinds, depth, replay } = group;
  const { width } = style;
  const inside = depth === 2 ? ' inside another exception' : '';
  const says = (reason: string): string => (reason === '' ? 'reliable' : reason);
  const times = ` ${plural(number, 'time')}${inside}`;
  yield* headed(`✗ kernel and model differ in ${difference}`, times, style);
  yield* labelled('in', firstNames(functions, MAX_EACH), style);
  yield* labelled('under', `${example.policy}, ${example.mode}; kinds ${kinds.join(', ')}`, style);
  yield* labelled('first at', `${example.at}: ${example.instruction}`, style);
  if (example.mode === 'reliable') {
    const answers = `model: ${says(model.reason)}; kernel: ${says(example.reason)}`;
    yield* labelled('answers', answers, style);
  }
  const lines = sideBySide(model.trace, example.trace, true, width - 8, style, ['model', 'kernel']);
  yield* lines.map((line) => `        ${line}`);
  if (replay !== undefined) yield* commandLines(replay, style);
}

function* unmetLines({ policy, required, seen, points }: UnmetRequirement, style: Style) {
  const wanted =
    required.everywhere === true
      ? 'everywhere'
      : `at least ${plural(required.atLeast ?? 1, 'time')}`;
  const seenAt = `, seen at ${count(seen)} of ${plural(points, 'point')}`;
  yield* headed(`✗ ${required.verdict} required ${wanted}`, seenAt, style);
  yield* labelled('under', `${policy}, reliable; ${filterText(required)}`, style);
  yield* labelled('because', required.reason, style);
}

function* problemLines(
  { kind, at, detail, replay }: ProblemReport,
  style: Style,
): Generator<string> {
  yield* headed(`✗ ${PROBLEMS[kind]}`, `: ${detail}`, style);
  if (at !== '') yield* labelled('at', at, style);
  if (replay !== undefined) yield* commandLines(replay, style);
}

/** What was found, and details that continue on the next lines if necessary. */
function* headed(title: string, more: string, { colors, width }: Style): Generator<string> {
  const [first = '', ...rest] = wrap(title + more, width - 6);
  yield `  ${colors.red(first.slice(0, title.length))}${first.slice(title.length)}`;
  yield* rest.map((line) => `      ${line}`);
}

/** `      under     ...`; further lines are aligned with the text. */
function labelled(label: string, text: string, { width }: Style): string[] {
  return wrap(text, width - 16).map(
    (line, i) => `      ${(i === 0 ? label : '').padEnd(10)}${line}`,
  );
}

/**
 * A command that does not fit on a line continues after a backslash, so that a shell accepts it.
 */
function commandLines(command: string, { width }: Style): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of command.match(/(?:'[^']*'|\\.|[^\s'\\])+/g) ?? []) {
    if (line !== '' && 16 + line.length + 1 + word.length + 2 > width) {
      lines.push(`${line} \\`);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].map((text, i) => `      ${(i === 0 ? 'replay' : '').padEnd(10)}${text}`);
}

/** The points that a promise covers, in words. */
function filterText({ in: functions, kinds, depth }: PointFilter): string {
  const parts = [
    ...(kinds === undefined ? [] : [`kinds ${kinds.join(', ')}`]),
    ...(functions === undefined ? [] : [`in ${functions.join(', ')}`]),
    ...(depth === undefined ? [] : [depth === 2 ? 'inside another exception' : 'at depth 1']),
  ];
  return parts.length === 0 ? 'everywhere' : parts.join('; ');
}
