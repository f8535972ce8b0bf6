/** Checks the options of `kunit`, so that every mistake is found before a worker starts. */
import { nearestNames } from '../elf/symbol-names.js';
import { KUNIT_CASES, type KunitCase } from '../kunit/cases.js';
import type { KunitOptions } from '../kunit/kunit-run.js';
import { readReferences, type References } from '../kunit/reference-folder.js';
import { matchesPattern } from '../base/name-pattern.js';
import { POLICIES } from '../unwinder/policies/all.js';
import type { PolicyName } from '../unwinder/policy.js';
import { names, once, type OptionText, values, wholeNumber } from './option-values.js';
import { didYouMean, UsageError } from './usage-error.js';

/** What yargs makes of the command line. */
export interface KunitArguments {
  readonly policy?: readonly string[] | undefined;
  readonly case?: readonly string[] | undefined;
  readonly compare?: OptionText;
  readonly junit?: OptionText;
  readonly jobs?: OptionText;
  readonly 'stack-shift'?: OptionText;
  readonly matrix: boolean;
  readonly color: boolean;
}

/** A run that is ready to start. */
export interface KunitRequest {
  readonly options: KunitOptions;
  /** The logs to compare with. */
  readonly references: References | undefined;
  readonly junitPath: string | undefined;
}

const POLICY_NAMES = Object.keys(POLICIES) as PolicyName[];

/** Check all options. @throws UsageError */
export function kunitRequest(given: KunitArguments): KunitRequest {
  const policies = names('policy', given.policy, POLICY_NAMES) ?? POLICY_NAMES;
  const cases = selectCases(values('case', given.case) ?? []);
  const folder = once('compare', given.compare);
  const junitPath = once('junit', given.junit);
  const jobs = wholeNumber('jobs', given.jobs);
  const stackShift = shift(once('stack-shift', given['stack-shift']));
  let references: References | undefined;
  if (folder !== undefined) {
    const read = readReferences(folder, policies);
    if (!read.ok) throw new UsageError(read.error);
    references = read.value;
  }
  const options = { policies, cases, stackShift, ...(jobs === undefined ? {} : { jobs }) };
  return { options, references, junitPath };
}

/** The cases that the patterns name, with or without `test_`; `*` stands for any characters. */
function selectCases(patterns: readonly string[]): readonly KunitCase[] {
  if (patterns.length === 0) return KUNIT_CASES;
  const chosen = new Set<KunitCase>();
  for (const pattern of patterns.flatMap((value) => value.split(','))) {
    const matching = KUNIT_CASES.filter(({ name }) => isNamedBy(pattern, name));
    if (matching.length === 0) {
      const all = KUNIT_CASES.map(({ name }) => name);
      throw new UsageError(`no case '${pattern}'${didYouMean(nearestNames(pattern, all, 3))}`);
    }
    for (const one of matching) chosen.add(one);
  }
  return KUNIT_CASES.filter((one) => chosen.has(one));
}

function isNamedBy(pattern: string, name: string): boolean {
  return matchesPattern(pattern, name) || matchesPattern(`test_${pattern}`, name);
}

/** Most bytes by which stacks may start lower. That leaves 12 of 16 KiB, which is plenty. */
const MAX_SHIFT = 4096;

function shift(text: string | undefined): number {
  if (text === undefined) return 0;
  const bytes = /^\d{1,4}$/.test(text) ? Number(text) : NaN;
  if (bytes % 16 === 0 && bytes <= MAX_SHIFT) return bytes;
  throw new UsageError(`--stack-shift must be a multiple of 16 up to ${MAX_SHIFT}, not '${text}'`);
}
