/** Why a timeline stops, and what it can be asked to stop for. */

/**
 * Why the timeline is where it is now.
 * - `moved`: as far as was asked for.
 * - `hit`: a stop test answered.
 * - `start`: at position 0, which is as far as one can go back.
 * - `end`: the thread is done.
 * - `limit`: the steps allowed for one search were made, nothing was found so far.
 * - `runaway`: the budget is used up.
 * - `problem`: the next instruction cannot be executed; `detail` is one line on why.
 */
export interface Stop {
  readonly reason: 'moved' | 'hit' | 'start' | 'end' | 'limit' | 'runaway' | 'problem';
  /** One line for `runaway` and `problem`, else empty. */
  readonly detail: string;
}

export const MOVED: Stop = { reason: 'moved', detail: '' };
export const HIT: Stop = { reason: 'hit', detail: '' };
export const START: Stop = { reason: 'start', detail: '' };
export const END: Stop = { reason: 'end', detail: '' };
export const LIMIT: Stop = { reason: 'limit', detail: '' };

/** What a run is stopped by. Tests are asked at every position: they must be cheap and change nothing. */
export interface StopTest {
  /** Whether to stop at the state of this position. */
  readonly here?: () => boolean;
  /** Called before the first step of a stretch that {@link after} is asked about. */
  readonly begin?: () => void;
  /**
   * Whether the step just made is one to stop for (a watched word has changed, ...). Running forward
   * ends after that step, running back before it.
   */
  readonly after?: () => boolean;
}

/** Limits of one search, so that a caller can look for a Ctrl-C in between. */
export interface RunLimit {
  /** Steps to make, or to look back over, at most. */
  readonly steps?: number;
}
