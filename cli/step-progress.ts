/** Progress of a step that may take long, on standard error: a bar on a terminal, rare lines otherwise. */
import { Presets, SingleBar } from 'cli-progress';

/** Shows how far a step is until it is told to stop. */
export interface StepProgress {
  /** @param done of all that there is to do, which may only now be known */
  update(done: number, total: number): void;
  /** Clear what is not meant to stay. */
  stop(): void;
}

/** When a step is worth showing. */
export interface StepOptions {
  /** Not at all otherwise. */
  readonly wanted?: boolean;
  /** Also where there is no terminal: it will take seconds, as far as its input shows. */
  readonly long: boolean;
}

/**
 * The display that fits. It shows something at once: what comes first, like loading, may take long.
 * @param what is done, as in `verifying vmlinux`
 */
export function stepProgress(what: string, { wanted = true, long }: StepOptions): StepProgress {
  if (wanted && process.stderr.isTTY) return new StepBar(what);
  if (wanted && long) return new StepLines(what);
  return { update: () => undefined, stop: () => undefined };
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

class StepBar implements StepProgress {
  private readonly bar: SingleBar;

  /** The cursor comes back, and then the signal does what it would have done. */
  private readonly onSignal = (name: NodeJS.Signals): void => {
    this.stop();
    process.kill(process.pid, name);
  };

  constructor(what: string) {
    const options = {
      stream: process.stderr,
      format: '{what}  {bar} {percentage}%',
      barsize: 20,
      clearOnComplete: true,
      hideCursor: true,
      // It would take the signal for itself, and the program went on.
      gracefulExit: false,
    };
    this.bar = new SingleBar(options, Presets.shades_classic);
    this.bar.start(1, 0, { what });
    for (const name of SIGNALS) process.on(name, this.onSignal);
  }

  update(done: number, total: number): void {
    if (this.bar.getTotal() !== total) this.bar.setTotal(total);
    this.bar.update(done);
  }

  stop(): void {
    if (!this.bar.isActive) return;
    for (const name of SIGNALS) process.off(name, this.onSignal);
    this.bar.stop();
  }
}

/** One line at first, and one in ten percent. */
class StepLines implements StepProgress {
  private tenths = 0;

  constructor(what: string) {
    process.stderr.write(`${what}\n`);
  }

  update(done: number, total: number): void {
    const tenths = total === 0 ? 0 : Math.floor((10 * done) / total);
    if (tenths <= this.tenths) return;
    this.tenths = tenths;
    process.stderr.write(`${`${tenths * 10}%`.padStart(4)}\n`);
  }

  stop(): void {
    // Lines stay.
  }
}
