/** What a debugger opens: a scenario, a function of an image, or a case of the stacktrace tests. */
import { nearestNames } from '../emulator/symbol-names.js';
import { family as kunit, kunitScenario } from '../scenarios/kunit/kunit.js';
import { scenarioElf } from '../sweep/catalogue.js';
import { KUNIT_CASES } from '../sweep/kunit/cases.js';
import { guestKernelOf } from '../sweep/kunit/machines.js';
import type { SweepTarget } from '../sweep/unit.js';
import type { Policy } from '../unwinder/policy.js';
import type { ReplayOptions } from '../debug/replay.js';
import { type TargetArguments, targetsOf } from './target-options.js';
import { didYouMean, UsageError } from './usage-error.js';

/** A target and how its timeline is made. */
export interface DebugTarget {
  readonly target: SweepTarget;
  readonly options: ReplayOptions;
  /** Lines for standard error. */
  readonly notes: readonly string[];
}

const CASE_PREFIX = 'kunit:';

/** Find what is to be debugged. @throws UsageError */
export function debugTarget(
  name: string | undefined,
  given: Omit<TargetArguments, 'scenario'>,
  policy: Policy,
): DebugTarget {
  if (name?.startsWith(CASE_PREFIX) === true)
    return caseTarget(name.slice(CASE_PREFIX.length), policy);
  if (name === undefined && given.image === undefined) {
    throw new UsageError('debug needs a scenario, kunit:CASE, or --image FILE --function NAME');
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

/** `CASE` or `CASE+0x8`: a parameterised case with that instruction probed. */
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
