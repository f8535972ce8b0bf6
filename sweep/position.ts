/** Where a sweep is in a scenario. */
import type { Point } from '../lab/point.js';

/**
 * An instruction before which exceptions are taken. The sweep moves one object along, so that no
 * point allocates one.
 */
export class Position {
  /** Dynamic instruction of the scenario, 0 being the entry function's first. */
  index = 0;
  /** At depth 2: kind of the exception whose handling is interrupted. -1 before the first. */
  outerKind = -1;
  /** At depth 2: instruction of the handling, 0 being the vector's first. -1 at depth 1. */
  innerIndex = -1;

  get depth(): 1 | 2 {
    return this.innerIndex < 0 ? 1 : 2;
  }

  /** The point that an exception of a kind makes here. */
  point(kind: number): Point {
    const { index, outerKind, innerIndex } = this;
    return innerIndex < 0
      ? { index, kind }
      : { index, kind: outerKind, inner: { index: innerIndex, kind } };
  }
}
