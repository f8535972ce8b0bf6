/**
 * Applies what a scenario promises to counts: which verdicts are accepted, and which must appear.
 */
import { matchesPattern } from '../base/name-pattern.js';
import { type ExceptionKind, KIND_NAMES, kindSet } from '../kernel-model/exception-kind.js';
import type {
  AllowedVerdict,
  PointFilter,
  PolicyPromise,
  RequiredVerdict,
  Scenario,
} from '../scenarios/scenario.js';
import type { WalkMode } from '../unwinder/kunwind.js';
import type { PolicyName } from '../unwinder/policy.js';
import { type Verdict, VERDICTS } from '../scenarios/verdict.js';

/** A count of equal verdicts, at points that no promise tells apart. */
export interface VerdictCount {
  /** Function in which the innermost interrupted PC lies. */
  readonly fn: string;
  readonly kind: ExceptionKind;
  readonly depth: 1 | 2;
  readonly policy: PolicyName;
  readonly mode: WalkMode;
  readonly verdict: Verdict;
  readonly count: number;
}

/** Verdicts that need no promise, unless the scenario says otherwise. */
const ALLOWED_BY_DEFAULT: readonly Verdict[] = ['unreliable'];

/** What the scenario promises for a policy. */
export function promiseFor(scenario: Scenario, policy: PolicyName): PolicyPromise {
  return scenario.promises?.[policy] ?? {};
}

/** Whether the scenario accepts a verdict at such points. */
export function isAllowed(scenario: Scenario, count: Omit<VerdictCount, 'count'>): boolean {
  if (count.verdict === 'exact') return true;
  if (count.verdict === 'fault') return false;
  // A best-effort trace claims nothing; only a WARN in it can break a promise.
  if (count.mode === 'best-effort' && count.verdict !== 'warned') return true;
  if (count.verdict === 'unreliable' && isExpectedExact(scenario, count.fn)) return false;
  const { allow } = promiseFor(scenario, count.policy);
  if (allow === undefined) return ALLOWED_BY_DEFAULT.includes(count.verdict);
  return allow.some((allowed) => allowed.verdict === count.verdict && matches(allowed, count));
}

/** Whether the scenario's user wants more of that function than to be called unreliable. */
function isExpectedExact({ expectExact }: Scenario, fn: string): boolean {
  return expectExact?.some((pattern) => matchesPattern(pattern, fn)) === true;
}

/** The verdicts that the scenario accepts at such points. */
export function acceptedVerdicts(
  scenario: Scenario,
  point: Omit<VerdictCount, 'count' | 'verdict'>,
): Verdict[] {
  return VERDICTS.filter((verdict) => isAllowed(scenario, { ...point, verdict }));
}

/** The promise that accepts the verdict, for a reader who wants its reason. */
export function allowance(
  scenario: Scenario,
  count: Omit<VerdictCount, 'count'>,
): AllowedVerdict | undefined {
  const { allow } = promiseFor(scenario, count.policy);
  return allow?.find((allowed) => allowed.verdict === count.verdict && matches(allowed, count));
}

function matches(filter: PointFilter, count: Omit<VerdictCount, 'count'>): boolean {
  return (
    (filter.in === undefined || filter.in.includes(count.fn)) &&
    (filter.kinds === undefined || filter.kinds.includes(count.kind)) &&
    (filter.depth === undefined || filter.depth === count.depth)
  );
}

/** A requirement that the counts do not meet. */
export interface UnmetRequirement {
  readonly policy: PolicyName;
  readonly required: RequiredVerdict;
  /** Points at which the verdict appeared. */
  readonly seen: number;
  /** Points that the filter covers. */
  readonly points: number;
}

/** What was swept. Requirements about anything else cannot be judged. */
export interface SweptScope {
  readonly policies: readonly PolicyName[];
  /** Kinds, as bits by index of KIND_NAMES. */
  readonly kinds: number;
  readonly depth: 1 | 2;
}

/** The scenario's requirements that the counts do not meet. */
export function unmetRequirements(
  scenario: Scenario,
  counts: readonly VerdictCount[],
  scope: SweptScope,
): UnmetRequirement[] {
  const unmet: UnmetRequirement[] = [];
  for (const policy of scope.policies) {
    for (const required of promiseFor(scenario, policy).require ?? []) {
      if (!inScope(required, scope)) continue;
      let seen = 0;
      let points = 0;
      for (const count of counts) {
        if (count.policy !== policy || count.mode !== 'reliable') continue;
        if (!matches(required, count)) continue;
        points += count.count;
        if (count.verdict === required.verdict) seen += count.count;
      }
      if (seen < wanted(required, points, isComplete(required, scenario, scope))) {
        unmet.push({ policy, required, seen, points });
      }
    }
  }
  return unmet;
}

/**
 * How many points must have the verdict. When only some of the kinds were swept, only a requirement
 * that holds everywhere can be judged: `atLeast` counts all kinds together, and one kind may be
 * impossible where another is not.
 * @param complete whether all points of the filter were swept
 */
function wanted(
  { everywhere, atLeast }: RequiredVerdict,
  points: number,
  complete: boolean,
): number {
  if (everywhere === true) return complete ? Math.max(points, 1) : points;
  return complete ? (atLeast ?? 1) : 0;
}

/** Whether every point of a filter was swept. At depth 2 that takes the handling of every kind. */
function isComplete(filter: PointFilter, scenario: Scenario, scope: SweptScope): boolean {
  const all = scenario.kinds ?? KIND_NAMES;
  const needed = filter.depth !== 1 && scope.depth === 2 ? all : (filter.kinds ?? all);
  const absent = kindSet(all) & kindSet(needed) & ~scope.kinds;
  return absent === 0;
}

function inScope(filter: PointFilter, scope: SweptScope): boolean {
  if (filter.depth !== undefined && filter.depth > scope.depth) return false;
  const kinds = filter.kinds ?? KIND_NAMES;
  return kinds.some((kind) => (scope.kinds & (1 << KIND_NAMES.indexOf(kind))) !== 0);
}
