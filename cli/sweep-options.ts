/** The options of `sweep`, checked: every mistake is found before a worker starts. */
import { resolve } from 'node:path';
import { nearestNames } from '../emulator/symbol-names.js';
import { ALL_KINDS, KIND_NAMES, kindSet } from '../kernel-model/exception-kind.js';
import { guestPolicies } from '../sweep/guest-walker.js';
import { allTargets, FAMILIES, selectTargets } from '../sweep/catalogue.js';
import { parseArguments } from '../sweep/image-argument.js';
import { imageTarget } from '../sweep/image-target.js';
import type { KernelSampleRequest } from '../sweep/kernel-sample.js';
import { kernelTargets } from '../sweep/kernel-target.js';
import { type UnwinderChoice, UNWINDER_CHOICES } from '../sweep/stack-walker.js';
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
  readonly kernel?: Text;
  readonly offsets?: Text;
  readonly sample?: Text;
  readonly seed?: Text;
  readonly unwinder?: Text;
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
  /** Functions to be chosen once there is an engine. */
  readonly sample?: KernelSampleRequest;
}

/**
 * Check everything.
 * @param kernelPath where the file of --kernel can be read, when not under its own name
 * @throws UsageError
 */
export function sweepRequest(given: SweepArguments, kernelPath?: string): SweepRequest {
  const policies = names('policy', given.policy, Object.keys(POLICIES) as PolicyName[]);
  const kinds = names('kind', given.kind, KIND_NAMES);
  const depth = wholeNumber('depth', given.depth, 2);
  const jobs = wholeNumber('jobs', given.jobs);
  const budget = wholeNumber('budget', given.budget);
  const point = pointOption(given);
  const reportPath = once('json', given.json);
  const { targets, notes, sample, kernelPolicies } = targetsOf(given, kernelPath);
  if (point !== undefined && targets.length !== 1) {
    const none = (given.scenario ?? []).length === 0 && given.function === undefined;
    const found = none ? 'none is named' : `${targets.length} match`;
    throw new UsageError(`--point needs exactly one scenario, ${found}`);
  }
  const unwinder = unwinderOption(given);
  const possible = unwinder === 'model' ? undefined : kernelPolicies;
  const unable = policies?.filter((name) => possible?.includes(name) === false) ?? [];
  if (unable.length > 0 && possible !== undefined) {
    throw new UsageError(
      `the kernel's own unwinder has no ${unable.join(', ')}, only ${possible.join(', ')}`,
    );
  }
  const options: SweepOptions = {
    targets,
    policies: policies ?? possible ?? (Object.keys(POLICIES) as PolicyName[]),
    unwinder,
    kinds: kinds === undefined ? ALL_KINDS : kindSet(kinds),
    ...(depth === undefined ? {} : { depth: depth === 2 ? 2 : 1 }),
    ...(jobs === undefined ? {} : { jobs }),
    ...(budget === undefined ? {} : { budget }),
    ...(point === undefined ? {} : { point }),
    replay: replayCommand({
      image: once('image', given.image),
      kernel: once('kernel', given.kernel),
      offsets: once('offsets', given.offsets),
      fn: given.image === undefined ? undefined : once('function', given.function),
      args: given.image === undefined ? [] : (given.args ?? []),
      policies,
      unwinder: once('unwinder', given.unwinder),
      budget,
    }),
  };
  return { options, reportPath, notes, ...(sample === undefined ? {} : { sample }) };
}

/** The value of an option that may be given once. */
function once(name: string, value: Text): string | undefined {
  const [only, ...more] = typeof value === 'object' ? value : [value];
  if (more.length === 0) {
    if (only === '') throw new UsageError(`--${name} needs a value`);
    return only;
  }
  throw new UsageError(`--${name} is given ${more.length + 1} times`);
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

/** By default a user's kernel walks itself; built-in scenarios are walked by the model, and checked. */
function unwinderOption(given: SweepArguments): UnwinderChoice {
  const text = once('unwinder', given.unwinder);
  if (text === undefined) {
    if (given.kernel !== undefined) return 'both';
    return given.image === undefined ? 'checked' : 'model';
  }
  const known = UNWINDER_CHOICES.find((name) => name === text);
  if (known !== undefined) return known;
  throw new UsageError(`unknown unwinder '${text}'; there are ${UNWINDER_CHOICES.join(', ')}`);
}

interface Targets {
  /** What the kernel's own unwinder can be asked for; absent: everything. */
  readonly kernelPolicies?: readonly PolicyName[];
  readonly targets: readonly SweepTarget[];
  readonly notes: readonly string[];
  readonly sample?: KernelSampleRequest;
}

const KERNEL_ONLY = ['offsets', 'sample', 'seed'] as const;

function targetsOf(given: SweepArguments, kernelPath: string | undefined): Targets {
  const file = once('image', given.image);
  const patterns = given.scenario ?? [];
  const kernel = once('kernel', given.kernel);
  if (kernel !== undefined) {
    const other = file === undefined ? patterns[0] : '--image';
    if (other === undefined) return realKernelTargets(given, kernel, kernelPath);
    const name = file === undefined ? `the scenario '${other}'` : other;
    throw new UsageError(`--kernel and ${name} exclude each other`);
  }
  for (const name of KERNEL_ONLY) {
    if (given[name] !== undefined) throw new UsageError(`--${name} needs --kernel`);
  }
  if (file === undefined) {
    for (const name of ['function', 'args'] as const) {
      if (given[name] !== undefined) throw new UsageError(`--${name} needs --image or --kernel`);
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

function realKernelTargets(given: SweepArguments, file: string, path = resolve(file)): Targets {
  const offsets = once('offsets', given.offsets);
  const source = {
    file,
    path,
    ...(offsets === undefined ? {} : { offsets: resolve(offsets) }),
  };
  const functions = [given.function ?? []].flat().flatMap((name) => name.split(','));
  if (functions.includes('')) throw new UsageError('--function needs a value');
  if (given.args !== undefined && functions.length !== 1) {
    throw new UsageError(`--args needs exactly one --function, ${functions.length} are given`);
  }
  const args = parseArguments(given.args ?? []);
  if (!args.ok) throw new UsageError(args.error);
  const count = wholeNumber('sample', given.sample);
  const seed = wholeNumber('seed', given.seed) ?? 1;
  if (given.seed !== undefined && count === undefined)
    throw new UsageError('--seed needs --sample');
  const made = kernelTargets({
    source,
    functions,
    ...(given.args === undefined ? {} : { args: args.value }),
  });
  if (!made.ok) throw new UsageError(made.error);
  const { targets, lacksSFrame, kernel } = made.value;
  const kernelPolicies = guestPolicies((name) => kernel.symbol(name));
  const notes = lacksSFrame
    ? [`warning: ${file} has no .sframe: no policy that asks SFrame can be exact in it`]
    : [];
  return {
    targets,
    notes,
    kernelPolicies,
    ...(count === undefined ? {} : { sample: { source, count, seed } }),
  };
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
