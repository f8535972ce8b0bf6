/** Requirements, judged by what was swept. */
import { describe, expect, it } from 'vitest';
import { type ExceptionKind, KIND_NAMES, kindSet } from '../../kernel-model/exception-kind.js';
import type { RequiredVerdict, Scenario } from '../../scenarios/scenario.js';
import { unmetRequirements, type VerdictCount } from '../../sweep/promises.js';

/** Points of each kind that have the required verdict, of 10. */
type Seen = Partial<Record<ExceptionKind, number>>;

const BOUNDARY: readonly ExceptionKind[] = ['irq', 'nmi', 'brk', 'serror'];
const policy = 'sframe-strict';

/** Whether a requirement is reported as unmet. */
function isUnmet(
  required: Pick<RequiredVerdict, 'kinds' | 'atLeast' | 'everywhere'>,
  swept: readonly ExceptionKind[],
  seen: Seen,
  kinds?: readonly ExceptionKind[],
): boolean {
  const scenario: Scenario = {
    name: 'test/one',
    summary: '',
    entry: 'one',
    ...(kinds === undefined ? {} : { kinds }),
    promises: {
      [policy]: { require: [{ verdict: 'missing', depth: 1, reason: '', ...required }] },
    },
  };
  const common = { fn: 'one', depth: 1, policy, mode: 'reliable' } as const;
  const counts = Object.entries(seen).flatMap(([kind, count]): VerdictCount[] => [
    { ...common, kind: kind as ExceptionKind, verdict: 'missing', count },
    { ...common, kind: kind as ExceptionKind, verdict: 'exact', count: 10 - count },
  ]);
  const scope = { policies: [policy], kinds: kindSet(swept), depth: 1 } as const;
  return unmetRequirements(scenario, counts, scope).length > 0;
}

describe('a number of points that is required of several kinds', () => {
  const required = { kinds: BOUNDARY, atLeast: 12 } as const;

  it('is counted where all of them were swept', () => {
    expect(isUnmet(required, KIND_NAMES, { irq: 3, nmi: 3, brk: 3, serror: 3 })).toBe(false);
    expect(isUnmet(required, KIND_NAMES, { irq: 3, nmi: 3, brk: 3, serror: 2 })).toBe(true);
    expect(isUnmet(required, BOUNDARY, {})).toBe(true);
  });

  it('is not where only some were, or none', () => {
    expect(isUnmet(required, ['irq'], { irq: 3 })).toBe(false);
    expect(isUnmet(required, ['irq', 'nmi', 'brk'], {})).toBe(false);
    expect(isUnmet(required, ['sdei'], {})).toBe(false);
  });

  it('is counted where the scenario leaves the others out', () => {
    expect(isUnmet({ ...required, atLeast: 3 }, ['irq'], { irq: 3 }, ['irq'])).toBe(false);
    expect(isUnmet({ ...required, atLeast: 4 }, ['irq'], { irq: 3 }, ['irq'])).toBe(true);
  });

  it('is of all kinds when it names none', () => {
    expect(isUnmet({ atLeast: 1 }, KIND_NAMES, {})).toBe(true);
    expect(isUnmet({ atLeast: 1 }, ['irq'], {})).toBe(false);
  });
});

describe('a verdict that is required everywhere', () => {
  const required = { kinds: BOUNDARY, everywhere: true } as const;

  it('is required of the points there are, whatever was swept', () => {
    expect(isUnmet(required, KIND_NAMES, { irq: 10, nmi: 10 })).toBe(false);
    expect(isUnmet(required, ['irq'], { irq: 10 })).toBe(false);
    expect(isUnmet(required, ['irq'], { irq: 9 })).toBe(true);
  });

  it('needs points where every kind was swept: a kind may be masked at all of them', () => {
    expect(isUnmet(required, BOUNDARY, {})).toBe(true);
    expect(isUnmet(required, ['irq'], {})).toBe(false);
  });
});
