/**
 * The promises that follow from a scenario's shape alone: which of its functions ever keep a frame
 * record, and which have no SFrame entry. A point's answer then depends on the kind and on the
 * policy only (KERNEL-FACTS.md, "The kernel unwinder" and "Exception entry at EL1").
 */
import type {
  AllowedVerdict,
  PointFilter,
  PolicyPromise,
  RequiredVerdict,
  Scenario,
} from './scenario.js';

/** A policy a scenario can promise something for. */
export type PolicyName = keyof NonNullable<Scenario['promises']>;

/** Kinds whose entry code leaves a metadata record, so that the unwinder knows of the boundary. */
export const BOUNDARY_KINDS: NonNullable<PointFilter['kinds']> = ['irq', 'nmi', 'brk', 'serror'];

/** The policies that ask SFrame at an exception boundary. */
export const SFRAME_POLICIES = [
  'sframe-v5',
  'sframe-v6',
  'sframe-strict',
  'fgraph-detect',
] as const;

/** Every policy. */
export const ALL_POLICIES: readonly PolicyName[] = ['frame-pointer', ...SFRAME_POLICIES];

/** Promises by policy. */
export type Promises = Readonly<Partial<Record<PolicyName, PolicyPromise>>>;

/** The functions a scenario runs, each in one of the lists. */
export interface CodeShape {
  /** With correct CFI, and a frame record of their own after a prologue that ran. */
  readonly framed: readonly string[];
  /** With correct CFI, and no frame record at any instruction that ran: x29 is the caller's. */
  readonly frameless?: readonly string[];
  /** Frameless and without an SFrame entry. */
  readonly unannotated?: readonly string[];
  /** Annotated, but wrongly: what follows must be promised apart, see {@link mergePromises}. */
  readonly wrong?: readonly string[];
}

const WHY = {
  sdei: 'SDEI pushes a plain record, so a function without a record of its own hides its caller',
  nested: 'the entry and exit code of exceptions has no CFI',
  boundary: 'reliable mode gives up at the first exception boundary',
  alignment: 'CFA alignment is tested with 0x15, which refuses every CFA with bit 4 set',
  noEntry: 'no SFrame entry: nothing says where the return address is',
  noEntryV5: 'a failed look-up takes the frame record for a metadata record, which WARNs',
};

/** What every policy promises of code of that shape, in reliable mode. */
export function promisesFor(shape: CodeShape): Promises {
  const unannotated = shape.unannotated ?? [];
  const frameless = [...(shape.frameless ?? []), ...unannotated];
  const all = [...shape.framed, ...frameless];
  const annotated = [...shape.framed, ...(shape.frameless ?? []), ...(shape.wrong ?? [])];

  const always: PolicyPromise = {
    allow: [
      { verdict: 'missing', kinds: ['sdei'], in: all, depth: 1, reason: WHY.sdei },
      { verdict: 'unreliable', depth: 2, reason: WHY.nested },
    ],
    require: [
      ...shape.framed.map((name) => hiddenCaller([name], false)),
      ...(frameless.length > 0 ? [hiddenCaller(frameless, true)] : []),
    ],
  };
  const refused = everywhere('unreliable', unannotated, WHY.noEntry);
  const misaligned: PolicyPromise = {
    allow: [
      {
        verdict: 'unreliable',
        kinds: BOUNDARY_KINDS,
        in: annotated,
        depth: 1,
        reason: WHY.alignment,
      },
    ],
  };
  return {
    'frame-pointer': merge(always, everywhere('unreliable', undefined, WHY.boundary)),
    'sframe-v5': merge(always, everywhere('warned', unannotated, WHY.noEntryV5)),
    'sframe-v6': merge(always, refused, misaligned),
    'sframe-strict': merge(always, refused),
    'fgraph-detect': merge(always, refused),
  };
}

/** Both sets of promises: what either accepts is accepted, what either requires is required. */
export function mergePromises(one: Promises, two: Promises): Promises {
  return Object.fromEntries(
    ALL_POLICIES.map((policy) => [policy, merge(one[policy] ?? {}, two[policy] ?? {})]),
  );
}

/** Every depth-1 point of a boundary kind in these functions (absent: in all) has this verdict. */
export function everywhere(
  verdict: AllowedVerdict['verdict'],
  functions: readonly string[] | undefined,
  reason: string,
): PolicyPromise {
  if (functions?.length === 0) return {};
  const points = {
    kinds: BOUNDARY_KINDS,
    ...(functions === undefined ? {} : { in: functions }),
    depth: 1,
    reason,
  } as const;
  return { allow: [{ verdict, ...points }], require: [{ verdict, ...points, everywhere: true }] };
}

function hiddenCaller(functions: readonly string[], always: boolean): RequiredVerdict {
  return {
    verdict: 'missing',
    kinds: ['sdei'],
    in: functions,
    depth: 1,
    ...(always ? { everywhere: true } : {}),
    reason: WHY.sdei,
  };
}

function merge(...promises: readonly PolicyPromise[]): PolicyPromise {
  return {
    allow: promises.flatMap(({ allow }) => allow ?? []),
    require: promises.flatMap(({ require }) => require ?? []),
  };
}
