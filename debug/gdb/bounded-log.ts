/**
 * A log that strangers cannot fill: whoever can connect decides how often something happens that is
 * worth a line. Lines beyond the allowance are counted instead, and how many there were is said before
 * the next one that is shown.
 */

/** Lines that are shown however fast they come. */
const BURST = 50;
/** After so many milliseconds there may be one more. */
const REFILL_MS = 5_000;
/** Characters of a line: an error of the system's may quote what it was given. */
const MAX_LINE = 400;

/** Passes lines on, a bounded number in a time. */
export class BoundedLog {
  private allowance = BURST;
  private refilled: number;
  private hidden = 0;

  /** @param now milliseconds on a clock that is never set */
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

  /** Say how many lines were not shown, if any: before the next one that is, and at the end. */
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
