/** What `kunwind-lab list` does. */
import { wrap } from '../base/fit.js';
import { nearestNames } from '../elf/symbol-names.js';
import { KIND_NAMES } from '../kernel-model/exception-kind.js';
import type {
  AllowedVerdict,
  RequiredVerdict,
  Scenario,
  ScenarioFamily,
} from '../scenarios/scenario.js';
import { promiseFor } from '../sweep/promises.js';
import { FAMILIES } from '../targets/catalogue.js';
import { POLICIES } from '../unwinder/policies/all.js';
import type { PolicyName } from '../unwinder/policy.js';
import { once, type OptionText } from './option-values.js';
import { print } from './output.js';
import { outputStyle, type Style } from './style.js';
import { didYouMean, UsageError } from './usage-error.js';

/** What yargs makes of the command line. */
export interface ListArguments {
  readonly json: boolean;
  readonly brief: boolean;
  readonly family?: OptionText;
  readonly topic?: OptionText;
  readonly color: boolean;
}

const POLICY_NAMES = Object.keys(POLICIES) as PolicyName[];

/** Print the families that the options select. @throws UsageError */
export async function list(given: ListArguments): Promise<void> {
  const families = selectFamilies(once('family', given.family), once('topic', given.topic));
  if (given.json) {
    await print([JSON.stringify({ families: families.map(familyJson) }, undefined, 2)]);
  } else {
    await print(listLines(families, given.brief, outputStyle(given.color)));
  }
}

function selectFamilies(
  family: string | undefined,
  topic: string | undefined,
): readonly ScenarioFamily[] {
  const names = FAMILIES.map(({ name }) => name);
  if (family !== undefined && !names.includes(family)) {
    throw new UsageError(`unknown family '${family}'; there are ${names.join(', ')}`);
  }
  const chosen = FAMILIES.filter(({ name }) => family === undefined || name === family);
  if (topic === undefined) return chosen;
  const selected = chosen
    .map((one) => ({ ...one, scenarios: one.scenarios.filter((s) => s.topics?.includes(topic)) }))
    .filter(({ scenarios }) => scenarios.length > 0);
  if (selected.length > 0) return selected;
  const topics = new Set(
    chosen.flatMap(({ scenarios }) => scenarios.flatMap((s) => s.topics ?? [])),
  );
  throw new UsageError(
    `no scenario of topic '${topic}'${didYouMean(nearestNames(topic, topics, 3))}`,
  );
}

function familyJson({ name, summary, scenarios }: ScenarioFamily): unknown {
  return {
    name,
    summary,
    scenarios: scenarios.map((scenario) => ({
      name: scenario.name,
      summary: scenario.summary,
      entry: scenario.entry,
      depth: scenario.depth ?? 1,
      topics: scenario.topics ?? [],
      promises: Object.fromEntries(
        POLICY_NAMES.map((policy) => {
          const { allow, require } = promiseFor(scenario, policy);
          return [policy, { allow: allow ?? DEFAULT_ALLOW, require: require ?? [] }];
        }),
      ),
    })),
  };
}

/** What a scenario accepts besides `exact`, unless it says otherwise. */
const DEFAULT_ALLOW: readonly AllowedVerdict[] = [
  { verdict: 'unreliable', reason: 'accepted where nothing better is promised' },
];

function* listLines(
  families: readonly ScenarioFamily[],
  brief: boolean,
  style: Style,
): Generator<string> {
  const { colors, width } = style;
  const names = families.flatMap(({ scenarios }) => scenarios.map(({ name }) => name.length));
  const column = Math.max(...names) + 4;
  for (const [i, { name, summary, scenarios }] of families.entries()) {
    if (i > 0) yield '';
    yield `${colors.bold(name)}: ${summary}`;
    for (const scenario of scenarios) {
      const lines = wrap(scenario.summary, width - column);
      yield `  ${colors.cyan(scenario.name)}${' '.repeat(column - 2 - scenario.name.length)}${lines[0] ?? ''}`;
      yield* lines.slice(1).map((line) => ' '.repeat(column) + line);
      if (!brief) yield* promiseLines(scenario, style);
    }
  }
}

/**
 * A verdict that some policies promise for the same reason. Only the JSON says in which functions.
 */
interface SharedPromise {
  readonly verdict: string;
  readonly reason: string;
  required: boolean;
  readonly policies: Set<PolicyName>;
  readonly kinds: Set<string>;
}

function* promiseLines(scenario: Scenario, { colors, width }: Style): Generator<string> {
  const indent = ' '.repeat(PROMISE_COLUMN);
  for (const { verdict, reason, required, policies, kinds } of sharedPromises(scenario)) {
    const who = policies.size === POLICY_NAMES.length ? 'every policy' : [...policies].join(', ');
    const when = kinds.size === KIND_NAMES.length ? '' : `; ${[...kinds].join(', ')}`;
    const label = `      ${required ? 'must be' : 'may be'} ${verdict}`.padEnd(PROMISE_COLUMN);
    const lines = wrap(`${reason} (${who}${when})`, width - PROMISE_COLUMN);
    yield* lines.map((line, i) => colors.dim(`${i === 0 ? label : indent}${line}`));
  }
}

/** The column where reasons start. */
const PROMISE_COLUMN = 26;

function sharedPromises(scenario: Scenario): Iterable<SharedPromise> {
  const shared = new Map<string, SharedPromise>();
  const add = (policy: PolicyName, promise: AllowedVerdict | RequiredVerdict, must: boolean) => {
    const { verdict, reason, kinds } = promise;
    const key = `${verdict} ${reason}`;
    const known = shared.get(key) ?? {
      verdict,
      reason,
      required: must,
      policies: new Set<PolicyName>(),
      kinds: new Set<string>(),
    };
    known.required ||= must;
    known.policies.add(policy);
    for (const kind of kinds ?? KIND_NAMES) known.kinds.add(kind);
    shared.set(key, known);
  };
  for (const policy of POLICY_NAMES) {
    const { allow, require } = promiseFor(scenario, policy);
    for (const promise of require ?? []) add(policy, promise, true);
    for (const promise of allow ?? DEFAULT_ALLOW) add(policy, promise, false);
  }
  return [...shared.values()].sort((a, b) => Number(b.required) - Number(a.required));
}
