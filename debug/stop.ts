/** Why a timeline stops, and how to ask it to stop. */

/**
 * Why the timeline is where it is now.
 * - `moved`: it went as far as it was asked to.
 * - `hit`: a stop test said so.
 * - `start`: it is at position 0, which is as far as it can go back.
 * - `end`: the thread is done.
 * - `limit`: the steps allowed for one search were made without a hit.
 * - `runaway`: the budget is used up.
 * - `problem`: the next instruction cannot be executed; `detail` says why.
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

/** What stops a run. Called at every position, so these must be cheap and change nothing. */
export interface StopTest {
  /** Whether to stop at the state of this position. */
  readonly here?: () => boolean;
  /** Called before the first of the steps that {@link after} is called for. */
  readonly begin?: () => void;
  /**
   * Whether to stop for the step just made, for example because a watched word has changed. A run
   * forward ends after that step, a run back before it.
   */
  readonly after?: () => boolean;
}

/** Limits of one search, so that a caller can check for Ctrl-C in between. */
export interface RunLimit {
  /** Most steps to make, or to go back over. */
  readonly steps?: number;
}
