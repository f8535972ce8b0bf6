/**
 * Which policy a kernel's only unwinder follows. Nothing in the kernel says so, but its answers do.
 * They are compared with the model's under every policy, at points where the policy that was swept
 * disagreed.
 */
import { disagreementCount } from './disagreement-groups.js';
import { POLICIES } from '../unwinder/policies/all.js';
import type { PolicyName } from '../unwinder/policy.js';
import type { PolicyAgreement, SweepReport } from './report.js';
import type { SweepOptions } from './sweep.js';

/** Targets whose points are walked again: the first ones with a disagreement. */
const MAX_TARGETS = 3;

/**
 * The sweep that finds out which policy the kernel follows.
 * @param report of a sweep with these options, of one policy
 * @returns undefined when the kernel agrees with that policy at half of the walks or more
 */
export function agreementSweep(
  options: SweepOptions,
  report: SweepReport,
): SweepOptions | undefined {
  const differing = disagreementCount(
    report.scenarios.flatMap(({ disagreements }) => disagreements),
  );
  // Fewer disagreements are findings about this policy, not a sign that the kernel follows another.
  if (2 * differing <= report.compared) return undefined;
  const names = report.scenarios
    .filter(({ disagreements }) => disagreements.length > 0)
    .slice(0, MAX_TARGETS)
    .map(({ name }) => name);
  return {
    ...options,
    targets: options.targets.filter(({ scenario }) => names.includes(scenario.name)),
    policies: Object.keys(POLICIES) as PolicyName[],
    ...(options.point === undefined ? { depth: 1 } : {}),
  };
}

/** What the report of an {@link agreementSweep} says, in the order of its policies. */
export function policyAgreements({
  policies,
  compared,
  scenarios,
}: SweepReport): PolicyAgreement[] {
  const names = Object.keys(policies) as PolicyName[];
  const disagreements = scenarios.flatMap((scenario) => scenario.disagreements);
  // A kernel with a single unwinder is asked equally often under each policy.
  const each = compared / names.length;
  return names.map((policy) => {
    const differing = disagreementCount(
      disagreements.filter(({ example }) => example.policy === policy),
    );
    return { policy, agreed: each - differing, compared: each };
  });
}
