/** The options of `debug`, checked. */
import { KIND_NAMES } from '../kernel-model/exception-kind.js';
import { parsePoint, type Point } from '../lab/point.js';
import { POLICIES } from '../unwinder/policies/all.js';
import type { Policy, PolicyName } from '../unwinder/policy.js';
import { type DebugTarget, debugTarget } from './debug-target.js';
import type { GdbArguments } from './gdb-options.js';
import { refuseUnsupported } from './kernel-options.js';
import { names, once, type OptionText, wholeNumber } from './option-values.js';
import { UsageError } from './usage-error.js';

/** What yargs makes of the command line. */
export interface DebugArguments extends GdbArguments {
  readonly scenario?: string | undefined;
  readonly at?: OptionText;
  readonly kind?: readonly string[] | undefined;
  readonly policy?: readonly string[] | undefined;
  readonly print: boolean;
  readonly trace?: OptionText;
  readonly budget?: OptionText;
  readonly image?: OptionText;
  readonly kernel?: OptionText;
  readonly offsets?: OptionText;
  readonly function?: OptionText;
  readonly args?: readonly string[] | undefined;
  readonly color: boolean;
}

/** A debugging session that is ready to start. */
export interface DebugRequest extends DebugTarget {
  /** Where to start: a point, or just an instruction of the scenario. */
  readonly at: Point | number | undefined;
  /** Index in `KIND_NAMES`. */
  readonly kind: number;
  readonly kindGiven: boolean;
  readonly policy: Policy;
  /** Policies that a trace judges. */
  readonly policies: readonly Policy[];
  readonly tracePath: string | undefined;
}

/** The policy whose walk is shown when no policy is named. */
const DEFAULT_POLICY: PolicyName = 'sframe-strict';

/** Check all options. @throws UsageError */
export function debugRequest(given: DebugArguments): DebugRequest {
  const valid = Object.keys(POLICIES) as PolicyName[];
  const policies = names('policy', given.policy, valid);
  const kinds = names('kind', given.kind, KIND_NAMES);
  const budget = wholeNumber('budget', given.budget);
  const tracePath = once('trace', given.trace);
  if (kinds !== undefined && kinds.length > 1) {
    throw new UsageError(`--kind: one kind is taken at a time, not ${kinds.join(' and ')}`);
  }
  if (policies !== undefined && policies.length > 1 && tracePath === undefined) {
    throw new UsageError(`--policy: one policy is shown at a time, not ${policies.join(' and ')}`);
  }
  const at = atOption(given.at);
  const [kind] = kinds ?? [];
  if (kind !== undefined && typeof at === 'object') {
    throw new UsageError('--at already gives the kind: drop --kind, or the kind from --at');
  }
  const policy = POLICIES[policies?.[0] ?? DEFAULT_POLICY];
  const made = debugTarget(given.scenario, given, policy);
  if (kind !== undefined) refuseUnsupported(made.unsupported, '--kind', KIND_NAMES.indexOf(kind));
  if (typeof at === 'object') {
    for (const { kind: taken } of [at, ...(at.inner === undefined ? [] : [at.inner])]) {
      refuseUnsupported(made.unsupported, '--at', taken);
    }
  }
  const inner = typeof at === 'object' ? (at.inner?.kind ?? at.kind) : undefined;
  return {
    ...made,
    options: { ...made.options, ...(budget === undefined ? {} : { budget }) },
    at,
    kind: inner ?? (kind === undefined ? 0 : KIND_NAMES.indexOf(kind)),
    kindGiven: kind !== undefined,
    policy,
    policies: (policies ?? valid).map((name) => POLICIES[name]),
    tracePath,
  };
}

function atOption(value: OptionText): Point | number | undefined {
  const text = once('at', value);
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  const point = parsePoint(text);
  if (point !== undefined) return point;
  const forms = 'INDEX, INDEX:KIND or INDEX:KIND/INDEX:KIND';
  throw new UsageError(`--at '${text}' is not ${forms} with a kind of ${KIND_NAMES.join(', ')}`);
}
