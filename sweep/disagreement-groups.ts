/**
 * Groups disagreements that a reader would count as one: the kernel's own unwinder and the model
 * differ in the same way, whatever the function and the exception kind.
 */
import type { ExceptionKind } from '../kernel-model/exception-kind.js';
import { alignEntries } from '../lab/trace-alignment.js';
import type { SweepReport } from './report.js';
import type { DisagreementReport } from './unit.js';

/** Equal disagreements; the example is the earliest one. */
export interface DisagreementGroup extends Omit<DisagreementReport, 'fn' | 'kind'> {
  readonly functions: readonly string[];
  readonly kinds: readonly ExceptionKind[];
}

/** How many walks differ: disagreements are counted where they are equal. */
export function disagreementCount(disagreements: readonly DisagreementReport[]): number {
  return disagreements.reduce((sum, { count }) => sum + count, 0);
}

/** Groups over all scenarios, in the order of their first disagreement. */
export function groupDisagreements({ scenarios }: SweepReport): DisagreementGroup[] {
  const groups = new Map<string, DisagreementGroup>();
  for (const { fn, kind, ...found } of scenarios.flatMap(({ disagreements }) => disagreements)) {
    const { policy, mode, reason } = found.example;
    const answers = [reason, found.model.reason];
    const key = [found.depth, found.difference, policy, mode, ...answers, shape(found)].join('|');
    const known = groups.get(key);
    groups.set(key, {
      ...(known ?? found),
      count: (known?.count ?? 0) + found.count,
      functions: [...new Set([...(known?.functions ?? []), fn])],
      kinds: [...new Set([...(known?.kinds ?? []), kind])],
    });
  }
  return [...groups.values()];
}

/**
 * How two traces line up: `=` for entries in both, `+` for entries of the kernel alone, `-` for
 * entries of the model alone. Runs are collapsed, because their length depends on where the point
 * is.
 */
function shape({ example, model }: Pick<DisagreementReport, 'example' | 'model'>): string {
  const pairs = alignEntries(model.trace, example.trace, (a, b) => a === b);
  return pairs
    .map(({ truth, trace }) => (truth < 0 ? '+' : trace < 0 ? '-' : '='))
    .join('')
    .replace(/(.)\1+/g, '$1');
}
