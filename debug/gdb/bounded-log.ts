/**
 * A log that strangers cannot flood. Whoever can connect controls how often lines are logged, so
 * lines beyond an allowance are only counted. The count is printed before the next line that is
 * shown.
 */

/** Lines that are shown no matter how fast they come. */
const BURST = 50;
/** One more line is allowed after each interval of this many milliseconds. */
const REFILL_MS = 5_000;
/** Most characters of a line. It is cut, because a system error may quote its input. */
const MAX_LINE = 400;

/** Passes lines on, at a bounded rate. */
export class BoundedLog {
  private allowance = BURST;
  private refilled: number;
  private hidden = 0;

  /** @param now milliseconds on a monotonic clock */
  constructor(
    private readonly print: (line: string) => void,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.refilled = now();
  }

  /** Show a line, or count it. */
  line(text: string): void {
    this.refill();
    if (this.allowance === 0) {
      this.hidden++;
      return;
    }
    this.allowance--;
    this.sayHidden();
    this.print(text.slice(0, MAX_LINE));
  }

  /**
   * Say how many lines were not shown, if any. Called before the next line that is shown, and at
   * the end.
   */
  sayHidden(): void {
    const { hidden } = this;
    if (hidden > 0) this.print(`${hidden} more ${hidden === 1 ? 'line' : 'lines'} not shown`);
    this.hidden = 0;
  }

  private refill(): void {
    const earned = Math.floor((this.now() - this.refilled) / REFILL_MS);
    this.refilled += earned * REFILL_MS;
    this.allowance = Math.min(BURST, this.allowance + earned);
  }
}
