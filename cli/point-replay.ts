/** Shows one replayed point: what each policy answers in each mode, beside the truth. */
import { groupFindings } from '../sweep/finding-groups.js';
import type { ScenarioReport, SweepReport } from '../sweep/report.js';
import type { WalkExample } from '../sweep/unit.js';
import { wrap } from '../base/fit.js';
import { sideBySide } from './side-by-side.js';
import type { Style } from './style.js';

/** Walks with the same answer, in one mode, under one or more policies. */
interface SameAnswer {
  readonly walk: WalkExample;
  readonly policies: string[];
}

/** The lines for all walks of one point. There is at least one. */
export function* replayLines(
  { scenarios }: SweepReport,
  walks: readonly WalkExample[],
  style: Style,
): Generator<string> {
  const { colors, width } = style;
  const [first] = walks;
  const [scenario] = scenarios;
  if (first === undefined || scenario === undefined) return;
  const title = `${scenario.name} ${first.point}`;
  const at = `at ${first.at}: ${first.instruction}`;
  yield* title.length + 1 + at.length <= width
    ? [`${colors.bold(title)} ${at}`]
    : [colors.bold(title), `    ${at}`];
  for (const { walk, policies } of sameAnswers(walks)) {
    const why = walk.reason === '' ? '' : ` (${walk.reason})`;
    const wrong = isUnexpected(scenario, walk);
    const verdict = `${walk.verdict}${why}`;
    const paint = wrong ? colors.red : walk.verdict === 'exact' ? colors.green : colors.yellow;
    yield '';
    const asked = `${policies.join(', ')}, ${walk.mode}:`;
    // If a list of policies fills the line, its verdict goes on the next one.
    const fits = asked.length + 1 + verdict.length <= width;
    yield* fits ? [`${asked} ${paint(verdict)}`] : [...wrap(asked, width), `    ${paint(verdict)}`];
    const more = remark(scenario, walk, wrong);
    if (more !== '') yield* wrap(more, width - 4).map((line) => `    ${line}`);
    const claimed = walk.verdict !== 'unreliable' && walk.mode === 'reliable';
    const lines = sideBySide(walk.truth, walk.trace, claimed, width - 4, style);
    yield* lines.map((line) => `    ${line}`);
  }
}

function sameAnswers(walks: readonly WalkExample[]): SameAnswer[] {
  const groups = new Map<string, SameAnswer>();
  for (const walk of walks) {
    const { mode, verdict, reason, trace } = walk;
    const key = JSON.stringify([mode, verdict, reason, trace]);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, { walk, policies: [walk.policy] });
    else known.policies.push(walk.policy);
  }
  return [...groups.values()];
}

function isUnexpected({ findings }: ScenarioReport, walk: WalkExample): boolean {
  return findings.some(
    ({ example }) =>
      example.policy === walk.policy &&
      example.mode === walk.mode &&
      example.verdict === walk.verdict,
  );
}

function remark(scenario: ScenarioReport, walk: WalkExample, wrong: boolean): string {
  if (wrong) {
    const group = groupFindings(scenario.findings).find(
      ({ policies, example }) => policies.includes(walk.policy) && example.mode === walk.mode,
    );
    return `unexpected: ${group?.accepted.join(' or ') ?? 'another verdict'} is promised`;
  }
  const known = scenario.known.find(
    ({ policy, mode, verdict }) =>
      policy === walk.policy && mode === walk.mode && verdict === walk.verdict,
  );
  return known === undefined ? '' : `as promised: ${known.reason}`;
}
