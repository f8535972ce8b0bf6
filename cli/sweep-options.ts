/** Checks the options of `sweep`, so that every mistake is found before a worker starts. */
import { isPattern } from '../base/name-pattern.js';
import { namesOfFunction } from '../elf/functions.js';
import { ALL_KINDS, KIND_NAMES, kindSet } from '../kernel-model/exception-kind.js';
import type { KernelSampleRequest } from '../sweep/kernel-sample.js';
import { type UnwinderChoice, UNWINDER_CHOICES } from '../lab/stack-walker.js';
import { parsePoint, type Point } from '../lab/point.js';
import type { SweepOptions } from '../sweep/sweep.js';
import { POLICIES } from '../unwinder/policies/all.js';
import type { PolicyName } from '../unwinder/policy.js';
import {
  KERNEL_ONLY,
  kernelOptions,
  refuseUnsupported,
  type SweepTargets,
  type SweptKernel,
} from './kernel-options.js';
import { names, once, type OptionText, values, wholeNumber } from './option-values.js';
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
  readonly 'min-coverage'?: OptionText;
  readonly expect?: OptionText;
  readonly in?: readonly string[] | undefined;
  readonly budget?: OptionText;
  readonly image?: OptionText;
  readonly kernel?: OptionText;
  readonly offsets?: OptionText;
  readonly sample?: OptionText;
  readonly seed?: OptionText;
  readonly unwinder?: OptionText;
  readonly function?: OptionText;
  readonly args?: readonly string[] | undefined;
  readonly known: boolean;
  readonly color: boolean;
  readonly progress: boolean;
}

/** A value of `--in`. */
export interface ExpectedFunction {
  /** As given: a name, or a pattern with `*`. */
  readonly text: string;
  /** A sweep may call a function by another of its names: that pattern, or all names. */
  readonly names: readonly string[];
}

/** A sweep that is ready to start. */
export interface SweepRequest {
  readonly options: SweepOptions;
  /** Number of jobs as given; undefined: a worker process for each core. */
  readonly jobs: number | undefined;
  readonly reportPath: string | undefined;
  /** Percentage of each function's instructions that must be executed, 1 to 100. */
  readonly minCoverage: number | undefined;
  /** What is expected to be exact; undefined: nothing is. */
  readonly expectExact: readonly ExpectedFunction[] | undefined;
  /** Lines for standard error before the sweep. */
  readonly notes: readonly string[];
  /** The kernel has a single unwinder, and does not say which policy that follows. */
  readonly unknownPolicy: boolean;
  /** Functions to choose once there is an engine. */
  readonly sample?: KernelSampleRequest;
}

/** Check all options. @throws UsageError */
export function sweepRequest(given: SweepArguments): SweepRequest {
  const policies = names('policy', given.policy, Object.keys(POLICIES) as PolicyName[]);
  const kinds = names('kind', given.kind, KIND_NAMES);
  const depth = wholeNumber('depth', given.depth, 2);
  const jobs = wholeNumber('jobs', given.jobs);
  const budget = wholeNumber('budget', given.budget);
  const point = pointOption(given);
  const reportPath = once('json', given.json);
  const minCoverage = minCoverageOption(given);
  const expected = expectOption(given);
  const made = sweepTargets(given);
  const { targets, sample, elf } = made;
  const expectExact = expected?.map((text): ExpectedFunction => ({
    text,
    names: elf === undefined || isPattern(text) ? [text] : namesOfFunction(elf, text),
  }));
  for (const name of kinds ?? []) {
    refuseUnsupported(made.unsupported, '--kind', KIND_NAMES.indexOf(name));
  }
  if (point !== undefined && targets.length !== 1) {
    const none = (given.scenario ?? []).length === 0 && given.function === undefined;
    const found = none ? 'none is named' : `${targets.length} match`;
    throw new UsageError(`--point needs exactly one scenario, ${found}`);
  }
  const unwinder = unwinderOption(given, made.kernel);
  const usual =
    made.kernel === undefined ? undefined : kernelPolicies(made.kernel, unwinder, policies);
  const notes = [...made.notes, ...kernelNotes(made.kernel)];
  const options: SweepOptions = {
    targets,
    policies: policies ?? usual ?? (Object.keys(POLICIES) as PolicyName[]),
    unwinder,
    kinds: kinds === undefined ? ALL_KINDS : kindSet(kinds),
    ...(depth === undefined ? {} : { depth: depth === 2 ? 2 : 1 }),
    ...(budget === undefined ? {} : { budget }),
    ...(point === undefined ? {} : { point }),
    replay: replayCommand({
      image: once('image', given.image),
      kernel: once('kernel', given.kernel),
      offsets: once('offsets', given.offsets),
      fn: given.image === undefined ? undefined : once('function', given.function),
      args: given.image === undefined ? [] : (given.args ?? []),
      policies,
      unwinder: given.unwinder === undefined ? undefined : unwinder,
      budget,
    }),
  };
  return {
    options,
    jobs,
    reportPath,
    minCoverage,
    expectExact,
    unknownPolicy: made.kernel?.unwinder?.single === true && unwinder === 'both',
    notes,
    ...(sample === undefined ? {} : { sample }),
  };
}

function expectOption(given: SweepArguments): readonly string[] | undefined {
  const expected = once('expect', given.expect);
  const functions = values('in', given.in)?.flatMap((value) => value.split(','));
  if (expected === undefined) {
    if (functions !== undefined) throw new UsageError('--in needs --expect exact');
    return undefined;
  }
  if (expected !== 'exact') {
    throw new UsageError(`--expect '${expected}' is unknown: only exact can be expected`);
  }
  if (given.image === undefined && given.kernel === undefined) {
    throw new UsageError('--expect needs --image or --kernel: scenarios have promises');
  }
  if (given.point !== undefined) throw new UsageError('--expect and --point cannot be combined');
  if (functions?.includes('') === true) throw new UsageError('--in needs a value');
  return functions ?? ['*'];
}

function minCoverageOption(given: SweepArguments): number | undefined {
  const least = wholeNumber('min-coverage', given['min-coverage']);
  if (least === undefined) return undefined;
  if (least > 100) throw new UsageError(`--min-coverage must be 1 to 100 percent, not ${least}`);
  if (given.image === undefined && given.kernel === undefined) {
    throw new UsageError('--min-coverage needs --image or --kernel');
  }
  if (given.point !== undefined) {
    throw new UsageError('--min-coverage and --point cannot be combined');
  }
  return least;
}

function pointOption(given: SweepArguments): Point | undefined {
  const text = once('point', given.point);
  if (text === undefined) return undefined;
  for (const name of ['kind', 'depth'] as const) {
    if (given[name] !== undefined)
      throw new UsageError(`--point already gives the ${name}: drop --${name}`);
  }
  const point = parsePoint(text);
  if (point !== undefined) return point;
  const forms = 'INDEX:KIND or INDEX:KIND/INDEX:KIND';
  throw new UsageError(`--point '${text}' is not ${forms} with a kind of ${KIND_NAMES.join(', ')}`);
}

/**
 * By default, a user's kernel walks itself, and built-in scenarios are walked by the model and
 * checked.
 */
function unwinderOption(given: SweepArguments, kernel: SweptKernel | undefined): UnwinderChoice {
  const text = once('unwinder', given.unwinder);
  if (text === undefined) {
    if (kernel !== undefined) return kernel.unwinder === undefined ? 'model' : 'both';
    return given.image === undefined ? 'checked' : 'model';
  }
  // `guest` is the old name of `kernel`.
  const meant = text === 'guest' ? 'kernel' : text;
  const known = UNWINDER_CHOICES.find((name) => name === meant);
  if (known === undefined) {
    throw new UsageError(`unknown unwinder '${text}'; there are ${UNWINDER_CHOICES.join(', ')}`);
  }
  if (known !== 'model' && kernel !== undefined && kernel.unwinder === undefined) {
    // The model's answers must not pass for those of a kernel that has no unwinder.
    throw new UsageError(`${noUnwinder(kernel)}: --unwinder ${known} needs one`);
  }
  return known;
}

const noUnwinder = ({ file }: SweptKernel): string =>
  `${file} has no arch_stack_walk_reliable() of its own`;

/** Lines for standard error that say what a kernel lacks, because that affects the results. */
function kernelNotes(kernel: SweptKernel | undefined): string[] {
  if (kernel === undefined) return [];
  const notes = kernel.unwinder === undefined ? [`${noUnwinder(kernel)}: using the model`] : [];
  return kernel.lacksSFrame
    ? [...notes, `${kernel.file} has no .sframe: the frame-pointer policy only`]
    : notes;
}

/**
 * The policies that are swept for a real kernel when none is named; undefined: all.
 * @param named checked against the kernel's policies
 * @throws UsageError
 */
function kernelPolicies(
  kernel: SweptKernel,
  unwinder: UnwinderChoice,
  named: readonly PolicyName[] = [],
): readonly PolicyName[] | undefined {
  const { file, lacksSFrame, unwinder: own } = kernel;
  const tabular = named.filter((name) => name !== 'frame-pointer');
  if (lacksSFrame && tabular.length > 0) {
    const what = tabular.join(', ');
    throw new UsageError(
      `${file} has no .sframe: ${what} would be unreliable at every exception, only frame-pointer is possible`,
    );
  }
  if (unwinder === 'model' || own === undefined) return lacksSFrame ? ['frame-pointer'] : undefined;
  const { policies, single } = own;
  const unable = named.filter((name) => !policies.includes(name));
  if (unable.length > 0) {
    throw new UsageError(
      `the kernel's own unwinder has no ${unable.join(', ')}, only ${policies.join(', ')}`,
    );
  }
  if (single && named.length > 1) {
    throw new UsageError(
      `${file} has one unwinder, and no kunwind_variant to choose another: name one --policy, not ${named.length}`,
    );
  }
  return single || lacksSFrame ? ['frame-pointer'] : policies;
}

function sweepTargets(given: SweepArguments): SweepTargets {
  const kernel = once('kernel', given.kernel);
  if (kernel !== undefined) {
    const other = given.image === undefined ? given.scenario?.[0] : '--image';
    if (other === undefined) return kernelOptions(given, kernel);
    const name = given.image === undefined ? `the scenario '${other}'` : other;
    throw new UsageError(`--kernel and ${name} cannot be combined`);
  }
  for (const name of KERNEL_ONLY) {
    if (given[name] !== undefined) throw new UsageError(`--${name} needs --kernel`);
  }
  for (const name of ['function', 'args'] as const) {
    if (given[name] === undefined || given.image !== undefined) continue;
    throw new UsageError(`--${name} needs --image or --kernel`);
  }
  return targetsOf(given);
}
