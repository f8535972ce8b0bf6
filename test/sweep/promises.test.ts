import { describe, expect, it } from 'vitest';
import {
  ALL_KINDS,
  type ExceptionKind,
  KIND_NAMES,
  kindSet,
} from '../../kernel-model/exception-kind.js';
import type { PolicyPromise, RequiredVerdict, Scenario } from '../../scenarios/scenario.js';
import { IMAGE_PROMISES } from '../../targets/image-target.js';
import {
  acceptedVerdicts,
  isAllowed,
  unmetRequirements,
  type SweptScope,
  type VerdictCount,
} from '../../sweep/promises.js';
import type { PolicyName } from '../../unwinder/policy.js';
import { VERDICTS, type Verdict } from '../../scenarios/verdict.js';

const POINT: VerdictCount = {
  fn: 'f',
  kind: 'irq',
  depth: 1,
  policy: 'sframe-strict',
  mode: 'reliable',
  verdict: 'exact',
  count: 1,
};

function scenario(promise: PolicyPromise | undefined): Scenario {
  const promises = promise === undefined ? {} : { promises: { 'sframe-strict': promise } };
  return { name: 'x/y', summary: '', entry: 'f', ...promises };
}

describe('accepted verdicts', () => {
  it('are the safe ones where nothing is promised', () => {
    expect(acceptedVerdicts(scenario(undefined), POINT)).toEqual(['exact', 'unreliable']);
    expect(acceptedVerdicts(scenario({ require: [] }), POINT)).toEqual(['exact', 'unreliable']);
  });

  it('are exact alone where the list of others is empty', () => {
    expect(acceptedVerdicts(scenario({ allow: [] }), POINT)).toEqual(['exact']);
  });

  it('hold for the function, kind and depth they name, and for one verdict', () => {
    const { isAccepted } = accepting({ in: ['f'], kinds: ['irq'], depth: 1 });
    expect(isAccepted({})).toBe(true);
    for (const other of [{ fn: 'g' }, { kind: 'nmi' as const }, { depth: 2 as const }]) {
      expect(isAccepted(other)).toBe(false);
    }
    expect(isAccepted({ verdict: 'spurious' })).toBe(false);
    expect(isAccepted({ policy: 'sframe-v6' })).toBe(false);
  });

  it('are not unreliable where the user expects better, whatever is promised', () => {
    const allow = [{ verdict: 'unreliable', reason: 'r' }] as const;
    const expecting = { ...scenario({ allow }), expectExact: ['g', 'fo*'] };
    const inFunction = (fn: string) => acceptedVerdicts(expecting, { ...POINT, fn });
    expect(inFunction('f')).toEqual(['exact', 'unreliable']);
    expect(inFunction('g')).toEqual(['exact']);
    expect(inFunction('foo')).toEqual(['exact']);
    const unpromised = { ...scenario(undefined), expectExact: ['*'] };
    expect(acceptedVerdicts(unpromised, POINT)).toEqual(['exact']);
    // A best-effort trace claims nothing.
    const bestEffort = { ...POINT, mode: 'best-effort' } as const;
    expect(acceptedVerdicts(expecting, { ...bestEffort, fn: 'g' })).toContain('unreliable');
  });

  it('never include a fault', () => {
    const allow = [{ verdict: 'fault', reason: '' }] as const;
    for (const mode of ['reliable', 'best-effort'] as const) {
      expect(isAllowed(scenario({ allow }), { ...POINT, mode, verdict: 'fault' })).toBe(false);
    }
  });

  it('of a best-effort walk, which claims nothing, are all but a WARN and a fault', () => {
    const accepted = acceptedVerdicts(scenario({ allow: [] }), { ...POINT, mode: 'best-effort' });
    expect(VERDICTS.filter((verdict) => !accepted.includes(verdict))).toEqual(['warned', 'fault']);
  });

  function accepting(
    points: Partial<Pick<VerdictCount, 'depth'>> & { in: string[]; kinds: ExceptionKind[] },
  ) {
    const promised = scenario({ allow: [{ verdict: 'missing', ...points, reason: '' }] });
    return {
      isAccepted: (point: Partial<VerdictCount>): boolean =>
        isAllowed(promised, { ...POINT, verdict: 'missing', ...point }),
    };
  }
});

describe('a requirement', () => {
  const SCOPE: SweptScope = { policies: ['sframe-strict'], kinds: ALL_KINDS, depth: 1 };
  const counted = (verdict: Verdict, count: number, more: Partial<VerdictCount> = {}) => ({
    ...POINT,
    verdict,
    count,
    ...more,
  });
  const unmet = (
    required: { atLeast?: number; everywhere?: boolean; depth?: 1 | 2; kinds?: ExceptionKind[] },
    counts: readonly VerdictCount[],
    scope: Partial<SweptScope> = {},
  ): readonly [number, number][] => {
    const promise = {
      require: [{ verdict: 'missing' as const, in: ['f'], reason: '', ...required }],
    };
    const found = unmetRequirements(scenario(promise), counts, { ...SCOPE, ...scope });
    return found.map(({ seen, points }) => [seen, points]);
  };

  it('is met by as many points as it asks for', () => {
    expect(unmet({}, [])).toEqual([[0, 0]]);
    expect(unmet({}, [counted('exact', 5)])).toEqual([[0, 5]]);
    expect(unmet({}, [counted('missing', 1)])).toEqual([]);
    expect(unmet({ atLeast: 3 }, [counted('missing', 2), counted('exact', 4)])).toEqual([[2, 6]]);
    expect(unmet({ atLeast: 3 }, [counted('missing', 3)])).toEqual([]);
  });

  it('of everywhere is met by all points and at least one', () => {
    expect(unmet({ everywhere: true }, [])).toEqual([[0, 0]]);
    expect(unmet({ everywhere: true }, [counted('missing', 9), counted('exact', 1)])).toEqual([
      [9, 10],
    ]);
    expect(unmet({ everywhere: true }, [counted('missing', 10)])).toEqual([]);
  });

  it('counts reliable walks of its own points alone', () => {
    const elsewhere = [
      counted('missing', 1, { mode: 'best-effort' }),
      counted('missing', 1, { fn: 'g' }),
      counted('missing', 1, { policy: 'sframe-v6' }),
    ];
    expect(unmet({}, elsewhere)).toEqual([[0, 0]]);
  });

  it('that counts is judged only when all its kinds were swept', () => {
    const required = { kinds: ['irq', 'nmi'] as ExceptionKind[], atLeast: 2, depth: 1 as const };
    const irqs = [counted('missing', 1)];
    expect(unmet(required, irqs)).toEqual([[1, 1]]);
    expect(unmet(required, irqs, { kinds: kindSet(['irq']) })).toEqual([]);
    expect(unmet(required, irqs, { kinds: kindSet(['irq', 'nmi']) })).toEqual([[1, 1]]);
  });

  it('of everywhere holds for some of the kinds as well, which may have no such point', () => {
    const required = { kinds: ['irq', 'nmi'] as ExceptionKind[], everywhere: true };
    const some = { kinds: kindSet(['irq']) };
    expect(unmet(required, [], some)).toEqual([]);
    expect(unmet(required, [counted('missing', 2), counted('exact', 1)], some)).toEqual([[2, 3]]);
  });

  it('about depth 2 needs all kinds: each is met in the handling of others', () => {
    const required = { kinds: ['sdei'] as ExceptionKind[], depth: 2 as const };
    const deep = { depth: 2 } as const;
    expect(unmet(required, [], { ...deep, kinds: kindSet(['sdei']) })).toEqual([]);
    expect(unmet(required, [], deep)).toEqual([[0, 0]]);
  });

  it('is not judged where its points were not swept', () => {
    expect(unmet({ depth: 2 }, [])).toEqual([]);
    expect(unmet({ depth: 2 }, [], { depth: 2 })).toEqual([[0, 0]]);
    expect(unmet({ kinds: ['sdei'] }, [], { kinds: 1 })).toEqual([]);
    expect(unmet({}, [], { policies: ['sframe-v6'] })).toEqual([]);
  });
});

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

describe('code that nobody has described', () => {
  const image: Scenario = { name: 'i', summary: '', entry: 'f', promises: IMAGE_PROMISES };
  const accepted = (policy: PolicyName, kind: ExceptionKind): Verdict[] =>
    acceptedVerdicts(image, { ...POINT, policy, kind });

  it('may lose a caller to SDEI under the policies that trust its record, and no others', () => {
    for (const policy of ['frame-pointer', 'sframe-v5', 'sframe-v6', 'sframe-strict'] as const) {
      expect(accepted(policy, 'sdei')).toEqual(['exact', 'unreliable', 'missing']);
    }
    for (const policy of ['fgraph-detect', 'fgraph-recover'] as const) {
      expect(accepted(policy, 'sdei')).toEqual(['exact', 'unreliable']);
    }
  });

  it('may lose none to an exception that the unwinder knows of', () => {
    for (const policy of ['frame-pointer', 'sframe-strict', 'fgraph-detect'] as const) {
      for (const kind of ['irq', 'nmi', 'brk', 'serror'] as const) {
        expect(accepted(policy, kind)).toEqual(['exact', 'unreliable']);
      }
    }
  });
});
