/**
 * What the debugger opens: a scenario, a function of an image or of a real kernel, or a case of the
 * stacktrace tests.
 */
import { nearestNames } from '../elf/symbol-names.js';
import { family as kunit, kunitScenario } from '../scenarios/kunit/kunit.js';
import { scenarioElf } from '../targets/catalogue.js';
import { KUNIT_CASES } from '../kunit/cases.js';
import { parseFunction } from '../targets/function-text.js';
import { guestKernelOf } from '../kunit/machines.js';
import { isPattern } from '../base/name-pattern.js';
import type { LabTarget } from '../lab/target.js';
import type { Policy } from '../unwinder/policy.js';
import type { ReplayOptions } from '../debug/replay.js';
import { kernelOptions } from './kernel-options.js';
import { once, type OptionText } from './option-values.js';
import { type TargetArguments, targetsOf } from './target-options.js';
import { didYouMean, UsageError } from './usage-error.js';

/** A target, and how to make its timeline. */
export interface DebugTarget {
  readonly target: LabTarget;
  readonly options: ReplayOptions;
  /** Lines for standard error. */
  readonly notes: readonly string[];
  /** Kinds of exceptions that a real kernel cannot take, and why. */
  readonly unsupported?: ReadonlyMap<number, string>;
}

/** The options that name the target, besides the scenario. */
type DebugTargetArguments = Omit<TargetArguments, 'scenario'> & {
  readonly kernel?: OptionText;
  readonly offsets?: OptionText;
};

const CASE_PREFIX = 'kunit:';

/** Find what is to be debugged. @throws UsageError */
export function debugTarget(
  name: string | undefined,
  given: DebugTargetArguments,
  policy: Policy,
): DebugTarget {
  if (given.kernel !== undefined) return kernelTarget(name, given);
  if (given.offsets !== undefined) throw new UsageError('--offsets needs --kernel');
  if (name?.startsWith(CASE_PREFIX) === true) {
    refuseBeside(name, given, ['image', 'function', 'args']);
    return caseTarget(name.slice(CASE_PREFIX.length), policy);
  }
  if (name === undefined && given.image === undefined) {
    throw new UsageError(
      'debug needs a scenario, kunit:CASE, or --image or --kernel FILE --function NAME',
    );
  }
  const { targets, notes } = targetsOf({ ...given, scenario: name === undefined ? [] : [name] });
  const [target, second] = targets;
  if (target === undefined || second !== undefined) {
    throw new UsageError(
      `debug needs exactly one scenario, ${targets.length} match '${name ?? ''}'`,
    );
  }
  return { target, options: {}, notes };
}

/** @throws UsageError for an option that would be ignored */
function refuseBeside(
  name: string,
  given: DebugTargetArguments,
  options: readonly (keyof DebugTargetArguments)[],
): void {
  const other = options.find((option) => given[option] !== undefined);
  if (other !== undefined) throw new UsageError(`${name} and --${other} cannot be combined`);
}

/** One function of a kernel, as a sweep calls it. */
function kernelTarget(name: string | undefined, given: DebugTargetArguments): DebugTarget {
  const kernel = once('kernel', given.kernel) ?? '';
  if (name !== undefined) {
    throw new UsageError(`--kernel and the scenario '${name}' cannot be combined`);
  }
  refuseBeside('--kernel', given, ['image']);
  const fn = once('function', given.function);
  if (fn === undefined) throw new UsageError('--kernel needs --function');
  if (fn.includes(',') || isPattern(parseFunction(fn).entry)) {
    throw new UsageError(`--function '${fn}': debug needs exactly one function`);
  }
  const { targets, notes, unsupported } = kernelOptions(given, kernel);
  const [target] = targets;
  if (target === undefined) throw new UsageError(`--function '${fn}' names nothing to debug`);
  return { target, options: {}, notes, ...(unsupported === undefined ? {} : { unsupported }) };
}

/** `CASE`, or `CASE+0x8` for a parameterised case with that instruction probed. */
function caseTarget(text: string, policy: Policy): DebugTarget {
  const [, name = '', offsetText = '0'] =
    /^(.*?)(?:\+(0x[0-9a-f]{1,4}|\d{1,5}))?$/i.exec(text) ?? [];
  const found = KUNIT_CASES.find((one) => one.name === name || one.name === `test_${name}`);
  if (found === undefined) {
    const names = KUNIT_CASES.map((one) => one.name);
    const near = didYouMean(nearestNames(name, names, 3));
    throw new UsageError(`no case '${name}'${near || '; `kunwind-lab kunit --matrix` names them'}`);
  }
  const offset = Number(offsetText);
  if (offset !== 0 && (found.async === undefined || offset % 4 !== 0)) {
    throw new UsageError(`kunit:${text}: ${found.name} has no such parameter`);
  }
  const kernel = guestKernelOf(policy.name);
  const elf = scenarioElf(kunit, kernel);
  return {
    target: {
      scenario: kunitScenario(found, offset, kernel),
      ...(elf === undefined ? {} : { elf }),
    },
    options: { answer: policy, stackShift: found.stackShift },
    notes: [],
  };
}
