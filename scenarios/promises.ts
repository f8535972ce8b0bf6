/**
 * The promises that follow from a scenario's shape alone: which of its functions ever keep a frame
 * record, and which have no SFrame entry. A point's answer then depends on the kind and on the
 * policy only (KERNEL-FACTS.md, "The kernel unwinder" and "Exception entry at EL1").
 */
import { insideExceptions } from './exception-code.js';
import {
  allowed,
  always,
  BOUNDARY_KINDS,
  merge,
  mergePromises,
  seen,
  type Promises,
} from './promise-terms.js';
import type { AllowedVerdict, PointFilter, PolicyPromise } from './scenario.js';

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
  record: 'while x29 points at its own record, the caller is in it',
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

  const hidden = { kinds: ['sdei'], depth: 1 } as const;
  const common = merge(
    allowed('missing', { ...hidden, in: all }, WHY.sdei),
    ...shape.framed.map((name) => seen('missing', { ...hidden, in: [name] }, WHY.sdei)),
    ...shape.framed.map((name) => someExact({ ...hidden, in: [name] }, WHY.record)),
    frameless.length > 0 ? always('missing', { ...hidden, in: frameless }, WHY.sdei) : {},
  );
  const refused = everywhere('unreliable', unannotated, WHY.noEntry);
  const misaligned = allowed(
    'unreliable',
    { kinds: BOUNDARY_KINDS, in: annotated, depth: 1 },
    WHY.alignment,
  );
  return mergePromises(
    {
      'frame-pointer': merge(common, everywhere('unreliable', undefined, WHY.boundary)),
      'sframe-v5': merge(common, everywhere('warned', unannotated, WHY.noEntryV5)),
      'sframe-v6': merge(common, refused, misaligned),
      'sframe-strict': merge(common, refused),
      'fgraph-detect': merge(common, refused),
      'fgraph-recover': merge(common, refused),
    },
    insideExceptions({ unannotated: unannotated.length > 0 }),
  );
}

/** Some of these points are exact, though others of them may have another verdict. */
function someExact(points: PointFilter, reason: string): PolicyPromise {
  return { require: [{ verdict: 'exact', ...points, reason }] };
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
