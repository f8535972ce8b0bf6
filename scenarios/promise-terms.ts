/**
 * The building blocks of promises: sets of policies and kinds, and functions that combine promises.
 */
import type {
  AllowedVerdict,
  PointFilter,
  PolicyPromise,
  RequiredVerdict,
  Scenario,
} from './scenario.js';

/** A policy for which a scenario can promise something. */
export type PolicyName = keyof NonNullable<Scenario['promises']>;

/** Promises by policy. */
export type Promises = Readonly<Partial<Record<PolicyName, PolicyPromise>>>;

/** Kinds whose entry code leaves a metadata record, which tells the unwinder of the boundary. */
export const BOUNDARY_KINDS: NonNullable<PointFilter['kinds']> = ['irq', 'nmi', 'brk', 'serror'];

/** The policies that ask SFrame at an exception boundary. */
export const SFRAME_POLICIES = [
  'sframe-v5',
  'sframe-v6',
  'sframe-strict',
  'fgraph-detect',
  'fgraph-recover',
] as const;

/** Every policy. */
export const ALL_POLICIES: readonly PolicyName[] = ['frame-pointer', ...SFRAME_POLICIES];

/**
 * The policies that look up any address inside return_to_handler on the return stack, and do not
 * trust an SDEI handler's record.
 */
export const RECOVERING: readonly PolicyName[] = ['fgraph-detect', 'fgraph-recover'];

/**
 * The other policies that ask SFrame: they skip the traced function's caller, and what SDEI hides.
 */
export const SKIPPING: readonly PolicyName[] = ['sframe-v5', 'sframe-v6', 'sframe-strict'];

/** The policies that take an SDEI handler's record for that of a call. */
export const TRUSTING_SDEI: readonly PolicyName[] = ['frame-pointer', ...SKIPPING];

/** The policies that drop the error of a walk. */
export const DROPPING: readonly PolicyName[] = ['sframe-v5', 'sframe-v6'];

/** The policies that ask SFrame and return the error. */
export const CAREFUL: readonly PolicyName[] = ['sframe-strict', ...RECOVERING];

/** Points of the scenario itself, of the kinds that leave a metadata record. */
export const boundary = { kinds: BOUNDARY_KINDS, depth: 1 } as const;

/** Points of the scenario itself, of the kind that leaves none. */
export const sdei = { kinds: ['sdei'], depth: 1 } as const;

/** Reasons that hold in more than one family. */
export const SHARED_WHY = {
  boundary: 'reliable mode gives up at the first exception boundary',
  alignment: 'CFA alignment is tested with 0x15, which refuses every CFA with bit 4 set',
  sdei: 'SDEI pushes a plain record, so a function without a record of its own hides its caller',
  noEntry: 'no SFrame entry: nothing says where the return address is',
  noEntryV5: 'a failed look-up takes the frame record for a metadata record, which WARNs',
  skipped:
    "an address inside return_to_handler is not recovered: the traced function's caller is skipped",
  window:
    'transient window: the entry is popped, and x30 does not hold the address or is not consulted',
  otherKernel: 'this kernel is for fgraph-recover',
};

/** Combines promises: what any of them accepts is accepted, and what any requires is required. */
export function mergePromises(...promises: readonly Promises[]): Promises {
  return Object.fromEntries(
    ALL_POLICIES.map((policy) => [policy, merge(...promises.map((one) => one[policy] ?? {}))]),
  );
}

/** The same promise for several policies. */
export function under(policies: readonly PolicyName[], ...promises: PolicyPromise[]): Promises {
  return Object.fromEntries(policies.map((policy) => [policy, merge(...promises)]));
}

/** The verdict is accepted at these points. */
export function allowed(
  verdict: AllowedVerdict['verdict'],
  points: PointFilter,
  reason: string,
): PolicyPromise {
  return { allow: [{ verdict, ...points, reason }] };
}

/** The verdict is accepted at these points, and some of them must have it. */
export function seen(
  verdict: AllowedVerdict['verdict'],
  points: PointFilter,
  reason: string,
  atLeast = 1,
): PolicyPromise {
  const entry = { verdict, ...points, reason };
  return { allow: [entry], require: [{ ...entry, atLeast }] };
}

/** Every one of these points must have the verdict. */
export function always(
  verdict: AllowedVerdict['verdict'],
  points: PointFilter,
  reason: string,
): PolicyPromise {
  const entry = { verdict, ...points, reason };
  return { allow: [entry], require: [{ ...entry, everywhere: true }] };
}

/** Every one of these points must be exact. */
export function exact(points: PointFilter, reason: string): PolicyPromise {
  return { require: [{ verdict: 'exact', ...points, everywhere: true, reason }] };
}

/** At least `atLeast` of these points must be exact; the others may have another verdict. */
export function someExact(
  points: Omit<RequiredVerdict, 'verdict' | 'reason'>,
  reason: string,
): PolicyPromise {
  return { require: [{ verdict: 'exact', ...points, reason }] };
}

/**
 * Promises on the kernel that is made for fgraph-recover. The policies with function graph's bug
 * have it there as well; how often is not counted. fgraph-detect, which does not know that kernel,
 * must be safe.
 * @param returnCode the functions that return_to_handler calls, where the traced function's caller
 * is skipped
 */
export function onOtherKernel(returnCode: readonly string[]): Promises {
  const noCfi = { ...boundary, in: ['ftrace_caller', 'return_to_handler'] } as const;
  const why = SHARED_WHY.otherKernel;
  return mergePromises(
    under(TRUSTING_SDEI, allowed('unreliable', {}, why)),
    under(['fgraph-detect'], allowed('unreliable', noCfi, why)),
    under(SKIPPING, allowed('missing', { ...boundary, in: returnCode }, why)),
    under(['sframe-v5'], allowed('warned', noCfi, why)),
  );
}

/** Concatenates the lists of all. */
export function merge(...promises: readonly PolicyPromise[]): PolicyPromise {
  return {
    allow: promises.flatMap(({ allow }) => allow ?? []),
    require: promises.flatMap(({ require }) => require ?? []),
  };
}
