/**
 * The promises that follow from a scenario's shape alone: which of its functions ever have a frame
 * record, and which have no SFrame entry. A point's answer then depends only on the kind and the
 * policy (docs/kernel-facts.md, "The unwinder" and "Exceptions at EL1").
 */
import { insideExceptions } from './exception-code.js';
import {
  allowed,
  always,
  BOUNDARY_KINDS,
  merge,
  mergePromises,
  sdei,
  seen,
  SHARED_WHY,
  someExact,
  TRUSTING_SDEI,
  under,
  type Promises,
} from './promise-terms.js';
import type { AllowedVerdict, PolicyPromise } from './scenario.js';

/** The functions that a scenario runs, each in one of the lists. */
export interface CodeShape {
  /** With correct CFI, and with their own frame record once the prologue has run. */
  readonly framed: readonly string[];
  /** With correct CFI, and never with their own frame record: x29 is the caller's. */
  readonly frameless?: readonly string[];
  /** Frameless and without an SFrame entry. */
  readonly unannotated?: readonly string[];
  /**
   * Annotated wrongly. What follows from that must be promised separately, see {@link
   * mergePromises}.
   */
  readonly wrong?: readonly string[];
}

const WHY = {
  ...SHARED_WHY,
  record: 'while x29 points at its own record, the caller is in it',
};

/** What every policy promises for code of that shape, in reliable mode. */
export function promisesFor(shape: CodeShape): Promises {
  const unannotated = shape.unannotated ?? [];
  const frameless = [...(shape.frameless ?? []), ...unannotated];
  const all = [...shape.framed, ...frameless];
  const annotated = [...shape.framed, ...(shape.frameless ?? []), ...(shape.wrong ?? [])];

  const hidden = merge(
    allowed('missing', { ...sdei, in: all }, WHY.sdei),
    ...shape.framed.map((name) => seen('missing', { ...sdei, in: [name] }, WHY.sdei)),
    ...shape.framed.map((name) => someExact({ ...sdei, in: [name] }, WHY.record)),
    frameless.length > 0 ? always('missing', { ...sdei, in: frameless }, WHY.sdei) : {},
  );
  const refused = everywhere('unreliable', unannotated, WHY.noEntry);
  const misaligned = allowed(
    'unreliable',
    { kinds: BOUNDARY_KINDS, in: annotated, depth: 1 },
    WHY.alignment,
  );
  return mergePromises(
    under(TRUSTING_SDEI, hidden),
    {
      'frame-pointer': everywhere('unreliable', undefined, WHY.boundary),
      'sframe-v5': everywhere('warned', unannotated, WHY.noEntryV5),
      'sframe-v6': merge(refused, misaligned),
      'sframe-strict': refused,
      'fgraph-detect': refused,
      'fgraph-recover': refused,
    },
    insideExceptions({ unannotated: unannotated.length > 0 }),
  );
}

/** Every depth-1 point of a boundary kind in these functions (absent: in all) has this verdict. */
export function everywhere(
  verdict: AllowedVerdict['verdict'],
  functions: readonly string[] | undefined,
  reason: string,
): PolicyPromise {
  if (functions?.length === 0) return {};
  return always(
    verdict,
    { kinds: BOUNDARY_KINDS, ...(functions === undefined ? {} : { in: functions }), depth: 1 },
    reason,
  );
}
