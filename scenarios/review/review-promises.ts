/**
 * What the review scenarios promise in common: which policies drop an error, and where CFI is
 * enough.
 */
import { insideExceptions, insideUnsafe } from '../exception-code.js';
import {
  allowed,
  always,
  BOUNDARY_KINDS,
  CAREFUL,
  exact,
  merge,
  mergePromises,
  SFRAME_POLICIES,
  SHARED_WHY,
  under,
  type PolicyName,
  type Promises,
} from '../promise-terms.js';
import type { AllowedVerdict, PointFilter, PolicyPromise } from '../scenario.js';

/** The policies whose answers do not depend on bit 4 of a CFA. */
export const ALIGNED: readonly PolicyName[] = SFRAME_POLICIES.filter(
  (policy) => policy !== 'sframe-v6',
);
/**
 * Among the policies that take an SDEI record for that of a call, those that return the error of a
 * walk.
 */
export const RETURNING: readonly PolicyName[] = ['frame-pointer', 'sframe-strict'];

export const WHY = {
  ...SHARED_WHY,
  cfi: 'CFI says where the return address and FP are, whatever x29 holds',
  dropped: 'the walk cannot go on from x29, and its error is dropped: the rest is left out',
  returned: 'the walk cannot go on from x29, and says so',
} as const;

/** Depth-1 points of the kinds that leave a metadata record, in these functions. */
export function at(...functions: readonly string[]): PointFilter {
  return { kinds: BOUNDARY_KINDS, in: functions, depth: 1 };
}

/** The same for SDEI, whose record is a plain one. */
export function sdeiAt(...functions: readonly string[]): PointFilter {
  return { kinds: ['sdei'], in: functions, depth: 1 };
}

/** Mainline gives up at the boundary, whatever is interrupted. */
export const givesUp = (): Promises =>
  under(['frame-pointer'], always('unreliable', { kinds: BOUNDARY_KINDS, depth: 1 }, WHY.boundary));

/** An entry function is exact, except under v6, for which it depends on where the stack starts. */
export function ordinary(entry: string): Promises {
  return mergePromises(
    givesUp(),
    insideExceptions(),
    exactUnder(ALIGNED, entry),
    under(['sframe-v6'], allowed('unreliable', at(entry), WHY.alignment)),
  );
}

/** Each of these policies is exact throughout these functions. */
export function exactUnder(
  policies: readonly PolicyName[],
  ...functions: readonly string[]
): Promises {
  return under(policies, exact(at(...functions), WHY.cfi));
}

/** Every policy that asks SFrame is exact throughout these functions. */
export function exactIn(...functions: readonly string[]): Promises {
  return exactUnder(SFRAME_POLICIES, ...functions);
}

/**
 * Every one of these points must have the verdict; a walk from inside an exception taken there may.
 */
export function everywhere(
  policies: readonly PolicyName[],
  verdict: AllowedVerdict['verdict'],
  points: PointFilter,
  reason: string,
): Promises {
  return mergePromises(
    under(policies, always(verdict, points, reason)),
    inside(policies, verdict, reason),
  );
}

/**
 * A walk from where the first exception came has this verdict. So may any walk from inside that
 * exception.
 */
export function inside(
  policies: readonly PolicyName[],
  verdict: AllowedVerdict['verdict'],
  reason: string,
): Promises {
  return insideUnsafe(policies, verdict, reason);
}

/** Functions without an SFrame entry: v5 WARNs, and the others that ask SFrame are unreliable. */
export function withoutEntry(...functions: readonly string[]): Promises {
  const others = SFRAME_POLICIES.filter((policy) => policy !== 'sframe-v5');
  return mergePromises(
    everywhere(['sframe-v5'], 'warned', at(...functions), WHY.noEntryV5),
    everywhere(others, 'unreliable', at(...functions), WHY.noEntry),
  );
}

/**
 * The chain of records is broken above these functions: v6 drops the error, and the others return
 * it.
 */
export function brokenAbove(...functions: readonly string[]): Promises {
  return mergePromises(
    everywhere(['sframe-v6'], 'missing', at(...functions), WHY.dropped),
    everywhere(CAREFUL, 'unreliable', at(...functions), WHY.returned),
  );
}

/** An SDEI event in functions that have a frame record at some of their instructions. */
export function hiddenBySdei(...functions: readonly string[]): PolicyPromise {
  return merge(
    ...functions.map((name) => ({
      allow: [{ verdict: 'missing' as const, ...sdeiAt(name), reason: WHY.sdei }],
      require: [{ verdict: 'missing' as const, ...sdeiAt(name), reason: WHY.sdei }],
    })),
  );
}
