/** Shows unsafe verdicts that are promised: known bugs, seeded or the kernel's own. */
import { wrap } from '../base/fit.js';
import type { KnownVerdict, SweepReport } from '../sweep/report.js';
import { type Verdict, VERDICTS } from '../scenarios/verdict.js';
import type { PolicyName } from '../unwinder/policy.js';
import { count, plural } from '../base/number-text.js';
import type { Style } from './style.js';

/**
 * The lines. There are none without such verdicts.
 * @param all whether to show every reason with its policies, or just one line for each verdict
 */
export function* knownLines(report: SweepReport, all: boolean, style: Style): Generator<string> {
  const known = mergeKnown(report.scenarios.flatMap((scenario) => scenario.known));
  if (known.length === 0) return;
  const title = 'promised unsafe verdicts: known bugs';
  yield '';
  yield style.colors.bold(
    all ? `${title}, seeded or the kernel's own` : `${title} (--known: each)`,
  );
  if (all) yield* reasonLines(known, Object.keys(report.policies) as PolicyName[], style);
  else yield* verdictLines(known, style);
}

/** One line for each verdict: how often it occurred, and for how many reasons. */
function* verdictLines(known: readonly KnownGroup[], { colors }: Style): Generator<string> {
  for (const verdict of VERDICTS) {
    const groups = known.filter((group) => group.verdict === verdict);
    if (groups.length === 0) continue;
    const sum = groups.reduce((times, group) => times + sumOf(group), 0);
    yield `${label(verdict, sum, colors)}  ${plural(groups.length, 'known bug')}`;
  }
}

function label(verdict: Verdict, times: number, colors: Style['colors']): string {
  return `  ${colors.yellow(`${verdict.padEnd(11)}${count(times).padStart(9)}`)}`;
}

function sumOf({ counts }: KnownGroup): number {
  return [...counts.values()].reduce((a, b) => a + b, 0);
}

/** A promise that accepted verdicts, summed over all scenarios. */
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
      // A WARN occurs in both modes, but is shown once.
      return !bestEffort || !groups.has(`${verdict} reliable ${reason}`);
    })
    .sort((a, b) => VERDICTS.indexOf(a.verdict) - VERDICTS.indexOf(b.verdict));
}

function* reasonLines(
  known: readonly KnownGroup[],
  policies: readonly PolicyName[],
  { colors, width }: Style,
): Generator<string> {
  for (const group of known) {
    const { verdict, reason, bestEffort, counts } = group;
    const who =
      counts.size === policies.length && policies.length > 1
        ? 'every policy'
        : policies.filter((policy) => counts.has(policy)).join(', ');
    const where = bestEffort ? `${who}; best-effort` : who;
    const lines = wrap(`${reason} (${where})`, width - 24);
    yield `${label(verdict, sumOf(group), colors)}  ${lines[0] ?? ''}`;
    for (const line of lines.slice(1)) yield `${' '.repeat(24)}${line}`;
  }
}
