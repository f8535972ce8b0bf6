/** What a sweep found that no promise covers: verdicts, requirements not met, problems. */
import { wrap } from '../base/fit.js';
import { type FindingGroup, groupFindings } from '../sweep/finding-groups.js';
import type { PointFilter } from '../scenarios/scenario.js';
import type { UnmetRequirement } from '../sweep/promises.js';
import type { ScenarioReport, SweepReport } from '../sweep/report.js';
import type { DisagreementReport, ProblemReport } from '../sweep/unit.js';
import { sideBySide } from './side-by-side.js';
import { count, plural, type Style } from './style.js';

/** Groups shown of one scenario: of the only one, and of one among others. */
const MAX_ALONE = 20;
const MAX_EACH = 4;
/** Scenarios shown in full. */
const MAX_SCENARIOS = 10;

/** What a problem is to the reader. */
const PROBLEMS: Readonly<Record<ProblemReport['kind'], string>> = {
  engine: 'the engine stopped',
  'no-request': 'the handler failed',
  runaway: 'the guest ran away',
  'truth-path': 'ground truth is in doubt',
  'no-return': 'no return from the exception',
  'wrong-row': 'the CPU contradicts an SFrame row',
  'wrong-row-unseen': 'a seeded wrong row was not detected',
  'not-restored': 'the exception did not restore what it interrupted',
  'unknown-instruction': 'an instruction unknown to the engine',
  'undefined-symbol': 'the code under test uses what its file does not define',
  unbooted: 'needs a booted kernel',
  warned: 'the kernel warned',
  bug: 'the kernel hit a BUG',
  scenario: 'the code under test crashed',
  'worker-died': 'a worker died',
  setup: 'the scenario cannot be set up',
  'wrong-result': 'wrong result',
};

/** The lines for everything unexpected; none when there is nothing. */
export function* findingLines(report: SweepReport, style: Style): Generator<string> {
  const wrong = report.scenarios.filter(({ unexpected }) => unexpected > 0);
  const most = wrong.length === 1 ? MAX_ALONE : MAX_EACH;
  for (const scenario of wrong.slice(0, MAX_SCENARIOS)) {
    yield '';
    yield style.colors.bold(`${scenario.name}: ${count(scenario.unexpected)} unexpected`);
    yield* scenarioLines(scenario, most, style);
  }
  const rest = wrong.slice(MAX_SCENARIOS);
  if (rest.length === 0) return;
  yield '';
  yield `and ${plural(rest.length, 'more scenario')} with unexpected verdicts:`;
  yield* wrap(rest.map(({ name }) => name).join(' '), style.width - 2).map((line) => `  ${line}`);
}

function* scenarioLines(scenario: ScenarioReport, most: number, style: Style): Generator<string> {
  const { problems, unmet, findings, disagreements } = scenario;
  const groups = groupFindings(findings);
  for (const problem of problems.slice(0, most)) yield* problemLines(problem, style);
  for (const requirement of unmet.slice(0, most)) yield* unmetLines(requirement, style);
  for (const group of groups.slice(0, most)) yield* groupLines(group, style);
  for (const found of disagreements.slice(0, most)) yield* disagreementLines(found, style);
  const more = [
    ...moreOf(problems.length - most, 'problem'),
    ...moreOf(unmet.length - most, 'unmet requirement'),
    ...moreOf(groups.length - most, 'unexpected verdict'),
    ...moreOf(disagreements.length - most, 'disagreement'),
  ];
  if (more.length > 0) yield `  … and ${more.join(', ')}; --json FILE has them all`;
}

function moreOf(number: number, noun: string): string[] {
  return number > 0 ? [plural(number, `more ${noun}`)] : [];
}

function* groupLines(group: FindingGroup, style: Style): Generator<string> {
  const { example, policies, kinds, count: number, depth, accepted, replay } = group;
  const { colors, width } = style;
  const claimed = example.verdict !== 'unreliable' && example.mode === 'reliable';
  const why = example.reason === '' ? '' : ` (${example.reason})`;
  const inside = depth === 2 ? ' inside another exception' : '';
  yield `  ${colors.red(`✗ ${example.verdict}${why}`)} ${plural(number, 'time')} in ${group.fn}${inside}`;
  yield `      under     ${policies.join(', ')}, ${example.mode}; kinds ${kinds.join(', ')}`;
  yield `      first at  ${example.at}: ${example.instruction}`;
  yield `      promised  ${accepted.join(' or ')}`;
  const lines = sideBySide(example.truth, example.trace, claimed, width - 8, style);
  yield* lines.map((line) => `        ${line}`);
  yield `      replay    ${replay}`;
}

/** The two traces of one disagreement: the model's and the kernel's. */
export function* disagreementLines(
  { example, model, difference, count: number, fn, kind, depth, replay }: DisagreementReport,
  style: Style,
): Generator<string> {
  const { colors, width } = style;
  const inside = depth === 2 ? ' inside another exception' : '';
  const says = (reason: string): string => (reason === '' ? 'reliable' : reason);
  yield `  ${colors.red(`✗ kernel and model differ in ${difference}`)} ${plural(number, 'time')} in ${fn}${inside}`;
  yield `      under     ${example.policy}, ${example.mode}; kinds ${kind}`;
  yield `      first at  ${example.at}: ${example.instruction}`;
  if (example.mode === 'reliable') {
    yield `      answers   model: ${says(model.reason)}; kernel: ${says(example.reason)}`;
  }
  const lines = sideBySide(model.trace, example.trace, true, width - 8, style, ['model', 'kernel']);
  yield* lines.map((line) => `        ${line}`);
  if (replay !== undefined) yield `      replay    ${replay}`;
}

function* unmetLines({ policy, required, seen, points }: UnmetRequirement, style: Style) {
  const { colors, width } = style;
  const wanted =
    required.everywhere === true
      ? 'everywhere'
      : `at least ${plural(required.atLeast ?? 1, 'time')}`;
  yield `  ${colors.red(`✗ ${required.verdict} required ${wanted}`)}, seen at ${count(seen)} of ${plural(points, 'point')}`;
  yield `      under     ${policy}, reliable; ${filterText(required)}`;
  yield* wrap(required.reason, width - 16).map(
    (line, i) => `${i === 0 ? '      because   ' : ' '.repeat(16)}${line}`,
  );
}

function* problemLines(
  { kind, at, detail, replay }: ProblemReport,
  { colors }: Style,
): Generator<string> {
  yield `  ${colors.red(`✗ ${PROBLEMS[kind]}`)}: ${detail}`;
  if (at !== '') yield `      at        ${at}`;
  if (replay !== undefined) yield `      replay    ${replay}`;
}

/** Points that a promise speaks of, in words. */
function filterText({ in: functions, kinds, depth }: PointFilter): string {
  const parts = [
    ...(kinds === undefined ? [] : [`kinds ${kinds.join(', ')}`]),
    ...(functions === undefined ? [] : [`in ${functions.join(', ')}`]),
    ...(depth === undefined ? [] : [depth === 2 ? 'inside another exception' : 'at depth 1']),
  ];
  return parts.length === 0 ? 'everywhere' : parts.join('; ');
}
