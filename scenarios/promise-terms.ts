/** What promises are made of: sets of policies and kinds, and putting promises together. */
import type { AllowedVerdict, PointFilter, PolicyPromise, Scenario } from './scenario.js';

/** A policy a scenario can promise something for. */
export type PolicyName = keyof NonNullable<Scenario['promises']>;

/** Promises by policy. */
export type Promises = Readonly<Partial<Record<PolicyName, PolicyPromise>>>;

/** Kinds whose entry code leaves a metadata record, so that the unwinder knows of the boundary. */
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

/** What each accepts is accepted, what any requires is required. */
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

/** The verdict is accepted at these points, and some have it. */
export function seen(
  verdict: AllowedVerdict['verdict'],
  points: PointFilter,
  reason: string,
  atLeast = 1,
): PolicyPromise {
  const entry = { verdict, ...points, reason };
  return { allow: [entry], require: [{ ...entry, atLeast }] };
}

/** Every one of these points has the verdict. */
export function always(
  verdict: AllowedVerdict['verdict'],
  points: PointFilter,
  reason: string,
): PolicyPromise {
  const entry = { verdict, ...points, reason };
  return { allow: [entry], require: [{ ...entry, everywhere: true }] };
}

/** Every one of these points is exact. */
export function exact(points: PointFilter, reason: string): PolicyPromise {
  return { require: [{ verdict: 'exact', ...points, everywhere: true, reason }] };
}

/** Both lists of each. */
export function merge(...promises: readonly PolicyPromise[]): PolicyPromise {
  return {
    allow: promises.flatMap(({ allow }) => allow ?? []),
    require: promises.flatMap(({ require }) => require ?? []),
  };
}
