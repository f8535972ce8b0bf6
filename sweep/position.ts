/** Where a sweep is in a scenario. */
import type { Point } from '../lab/point.js';

/** An instruction before which exceptions are taken. The sweep moves it on: none is made for a point. */
export class Position {
  /** Instruction of the scenario. */
  index = 0;
  /** At depth 2: kind of the exception whose handling is interrupted. */
  outerKind = -1;
  /** At depth 2: instruction of that handling, 0 being the vector's first; -1 at depth 1. */
  innerIndex = -1;

  get depth(): 1 | 2 {
    return this.innerIndex < 0 ? 1 : 2;
  }

  /** The point at which an exception of a kind is taken here. */
  point(kind: number): Point {
    const { index, outerKind, innerIndex } = this;
    return innerIndex < 0
      ? { index, kind }
      : { index, kind: outerKind, inner: { index: innerIndex, kind } };
  }
}
