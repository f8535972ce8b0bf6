/**
 * Searches the timeline in slices, so that a key can cancel it and the screen can show its
 * progress.
 */
import { setImmediate } from 'node:timers/promises';
import type { Stop, StopTest } from '../stop.js';
import type { Timeline } from '../timeline.js';
import type { Direction } from './moves.js';

/** Milliseconds between two checks of the keyboard. */
const SLICE = 40;
/** Steps of the first slice. With a walk at each step, they take about a slice's time. */
const FIRST_STEPS = 256;
const MAX_STEPS = 1 << 17;

/** Who follows a search. */
export interface Follower {
  /** Whether to stop here. Called after every slice. */
  isCancelled(): boolean;
  /** Called after every slice. */
  progress(position: number): void;
}

/** How a search ended. `cancelled` leaves the timeline where the search was. */
export type SearchEnd = Stop | { readonly reason: 'cancelled'; readonly detail: '' };

/** Run until a test hits, the timeline ends, or the follower cancels. */
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
