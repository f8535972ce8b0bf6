/** A search along the timeline in slices, so that a key can end it and the screen can tell how far it is. */
import { setImmediate } from 'node:timers/promises';
import type { Stop, StopTest } from '../stop.js';
import type { Timeline } from '../timeline.js';
import type { Direction } from './moves.js';

/** Milliseconds between two looks at the keyboard. */
const SLICE = 40;
/** Steps of the first slice: with a walk at each it takes about a slice's time. */
const FIRST_STEPS = 256;
const MAX_STEPS = 1 << 17;

/** Who follows a search. */
export interface Follower {
  /** Asked after every slice: whether to stop here. */
  isCancelled(): boolean;
  /** Told after every slice. */
  progress(position: number): void;
}

/** How a search ended; `cancelled` leaves the timeline where it had come to. */
export type SearchEnd = Stop | { readonly reason: 'cancelled'; readonly detail: '' };

/** Run until a test answers, there is nothing more, or the follower has had enough. */
export async function longRun(
  line: Timeline,
  test: StopTest,
  direction: Direction,
  follower: Follower,
): Promise<SearchEnd> {
  let steps = FIRST_STEPS;
  for (;;) {
    const began = performance.now();
    const stop =
      direction === 'forward' ? line.run(test, { steps }) : line.runBack(test, { steps });
    if (stop.reason !== 'limit') return stop;
    const took = performance.now() - began;
    if (took < SLICE / 2) steps = Math.min(MAX_STEPS, 2 * steps);
    else if (took > 2 * SLICE) steps = Math.max(16, steps >>> 1);
    follower.progress(line.position);
    await setImmediate();
    if (follower.isCancelled()) return { reason: 'cancelled', detail: '' };
  }
}
