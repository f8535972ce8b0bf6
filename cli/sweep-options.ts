/** The options of `sweep`, checked: every mistake is found before a worker starts. */
import { ALL_KINDS, KIND_NAMES, kindSet } from '../kernel-model/exception-kind.js';
import { parsePoint, type Point } from '../sweep/point.js';
import type { SweepOptions } from '../sweep/sweep.js';
import { POLICIES } from '../unwinder/policies/all.js';
import type { PolicyName } from '../unwinder/policy.js';
import { names, once, type OptionText, wholeNumber } from './option-values.js';
import { replayCommand } from './replay-command.js';
import { targetsOf } from './target-options.js';
import { UsageError } from './usage-error.js';

/** What yargs makes of the command line. */
export interface SweepArguments {
  readonly scenario?: readonly string[] | undefined;
  readonly policy?: readonly string[] | undefined;
  readonly kind?: readonly string[] | undefined;
  readonly depth?: OptionText;
  readonly jobs?: OptionText;
  readonly json?: OptionText;
  readonly point?: OptionText;
  readonly budget?: OptionText;
  readonly image?: OptionText;
  readonly function?: OptionText;
  readonly args?: readonly string[] | undefined;
  readonly color: boolean;
  readonly progress: boolean;
}

/** A sweep that can be started. */
export interface SweepRequest {
  readonly options: SweepOptions;
  readonly reportPath: string | undefined;
  /** Lines for standard error before the sweep. */
  readonly notes: readonly string[];
}

/** Check everything. @throws UsageError */
export function sweepRequest(given: SweepArguments): SweepRequest {
  const policies = names('policy', given.policy, Object.keys(POLICIES) as PolicyName[]);
  const kinds = names('kind', given.kind, KIND_NAMES);
  const depth = wholeNumber('depth', given.depth, 2);
  const jobs = wholeNumber('jobs', given.jobs);
  const budget = wholeNumber('budget', given.budget);
  const point = pointOption(given);
  const reportPath = once('json', given.json);
  const { targets, notes } = targetsOf(given);
  if (point !== undefined && targets.length !== 1) {
    const found = (given.scenario ?? []).length === 0 ? 'none is named' : `${targets.length} match`;
    throw new UsageError(`--point needs exactly one scenario, ${found}`);
  }
  const options: SweepOptions = {
    targets,
    policies: policies ?? (Object.keys(POLICIES) as PolicyName[]),
    kinds: kinds === undefined ? ALL_KINDS : kindSet(kinds),
    ...(depth === undefined ? {} : { depth: depth === 2 ? 2 : 1 }),
    ...(jobs === undefined ? {} : { jobs }),
    ...(budget === undefined ? {} : { budget }),
    ...(point === undefined ? {} : { point }),
    replay: replayCommand({
      image: once('image', given.image),
      fn: once('function', given.function),
      args: given.args ?? [],
      policies,
      budget,
    }),
  };
  return { options, reportPath, notes };
}

function pointOption(given: SweepArguments): Point | undefined {
  const text = once('point', given.point);
  if (text === undefined) return undefined;
  for (const name of ['kind', 'depth'] as const) {
    if (given[name] !== undefined) throw new UsageError(`--point says the ${name}: drop --${name}`);
  }
  const point = parsePoint(text);
  if (point !== undefined) return point;
  const forms = 'INDEX:KIND or INDEX:KIND/INDEX:KIND';
  throw new UsageError(`--point '${text}' is not ${forms} with a kind of ${KIND_NAMES.join(', ')}`);
}
