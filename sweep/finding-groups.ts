/**
 * Groups findings that a reader would count as one: the same wrong answer under several kinds and
 * policies.
 */
import type { ExceptionKind } from '../kernel-model/exception-kind.js';
import type { PolicyName } from '../unwinder/policy.js';
import type { Finding } from './report.js';

/** Findings in one function with the same verdict; the example is the earliest one. */
export interface FindingGroup extends Omit<Finding, 'kind'> {
  readonly kinds: readonly ExceptionKind[];
  readonly policies: readonly PolicyName[];
}

/** Groups in the order of their first finding. */
export function groupFindings(findings: readonly Finding[]): FindingGroup[] {
  const byPolicy = new Map<string, FindingGroup>();
  for (const finding of findings) {
    const { fn, depth, kind, example } = finding;
    const { policy, mode, verdict } = example;
    const key = [fn, depth, policy, mode, verdict].join(' ');
    const known = byPolicy.get(key);
    byPolicy.set(
      key,
      known === undefined
        ? { ...finding, kinds: [kind], policies: [policy] }
        : { ...known, count: known.count + finding.count, kinds: [...known.kinds, kind] },
    );
  }
  const groups = new Map<string, FindingGroup>();
  for (const group of byPolicy.values()) {
    const { point, mode, verdict, reason, trace } = group.example;
    const { fn, kinds, accepted } = group;
    const key = JSON.stringify([fn, point, mode, verdict, reason, kinds, accepted, trace]);
    const known = groups.get(key);
    groups.set(
      key,
      known === undefined
        ? group
        : {
            ...known,
            count: known.count + group.count,
            policies: [...known.policies, ...group.policies],
          },
    );
  }
  return [...groups.values()];
}
