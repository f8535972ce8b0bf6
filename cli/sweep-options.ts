/** The options of `sweep`, checked: every mistake is found before a worker starts. */
import { resolve } from 'node:path';
import { nearestNames } from '../emulator/symbol-names.js';
import { ALL_KINDS, KIND_NAMES, kindSet } from '../kernel-model/exception-kind.js';
import { allTargets, FAMILIES, selectTargets } from '../sweep/catalogue.js';
import { parseArguments } from '../sweep/image-argument.js';
import { imageTarget } from '../sweep/image-target.js';
import { parsePoint, type Point } from '../sweep/point.js';
import type { SweepOptions } from '../sweep/sweep.js';
import type { SweepTarget } from '../sweep/unit.js';
import { POLICIES } from '../unwinder/policies/all.js';
import type { PolicyName } from '../unwinder/policy.js';
import { replayCommand } from './replay-command.js';
import { didYouMean, UsageError } from './usage-error.js';

/** An option that was given once, several times (an array, by yargs) or not at all. */
type Text = string | readonly string[] | undefined;

/** What yargs makes of the command line. */
export interface SweepArguments {
  readonly scenario?: readonly string[] | undefined;
  readonly policy?: readonly string[] | undefined;
  readonly kind?: readonly string[] | undefined;
  readonly depth?: Text;
  readonly jobs?: Text;
  readonly json?: Text;
  readonly point?: Text;
  readonly budget?: Text;
  readonly image?: Text;
  readonly function?: Text;
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

/** The value of an option that may be given once. */
function once(name: string, value: Text): string | undefined {
  if (value === undefined || typeof value === 'string') {
    if (value === '') throw new UsageError(`--${name} needs a value`);
    return value;
  }
  throw new UsageError(`--${name} is given ${value.length} times`);
}

function wholeNumber(name: string, value: Text, most = 0x7fffffff): number | undefined {
  const text = once(name, value);
  if (text === undefined) return undefined;
  const number = /^\d{1,10}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= most) return number;
  const wanted = most === 2 ? '1 or 2' : 'a positive integer';
  throw new UsageError(`--${name} must be ${wanted}, not '${text}'`);
}

/** Names of a closed set, repeated or separated by commas; undefined when the option is absent. */
function names<T extends string>(
  option: string,
  given: readonly string[] | undefined,
  valid: readonly T[],
): T[] | undefined {
  if (given === undefined) return undefined;
  const chosen = new Set<T>();
  for (const text of given.flatMap((value) => value.split(','))) {
    const known = valid.find((name) => name === text);
    if (known === undefined) {
      throw new UsageError(`unknown ${option} '${text}'; there are ${valid.join(', ')}`);
    }
    chosen.add(known);
  }
  return valid.filter((name) => chosen.has(name));
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

function targetsOf(given: SweepArguments): {
  readonly targets: readonly SweepTarget[];
  readonly notes: readonly string[];
} {
  const file = once('image', given.image);
  const patterns = given.scenario ?? [];
  if (file === undefined) {
    for (const name of ['function', 'args'] as const) {
      if (given[name] !== undefined) throw new UsageError(`--${name} needs --image`);
    }
    return { targets: catalogueTargets(patterns), notes: [] };
  }
  const fn = once('function', given.function);
  if (fn === undefined) throw new UsageError('--image needs --function');
  if (patterns.length > 0) {
    throw new UsageError(`--image and the scenario '${patterns[0] ?? ''}' exclude each other`);
  }
  const args = parseArguments(given.args ?? []);
  if (!args.ok) throw new UsageError(args.error);
  const made = imageTarget({ file, absolutePath: resolve(file), fn, args: args.value });
  if (!made.ok) throw new UsageError(made.error);
  const { target, lacksSFrame } = made.value;
  const notes = [
    ...(lacksSFrame
      ? [`warning: ${file} has no .sframe: no policy that asks SFrame can be exact in it`]
      : []),
  ];
  return { targets: [target], notes };
}

function catalogueTargets(patterns: readonly string[]): readonly SweepTarget[] {
  const selected = selectTargets(patterns);
  if (!('unknown' in selected)) return selected;
  const { unknown } = selected;
  const known = [
    ...FAMILIES.map(({ name }) => name),
    ...allTargets().map(({ scenario }) => scenario.name),
  ];
  const near = didYouMean(nearestNames(unknown, known, 3));
  throw new UsageError(`no scenario '${unknown}'${near || '; `kunwind-lab list` names them'}`);
}
