/**
 * Shows the progress of a long step on standard error: a bar on a terminal, an occasional line
 * otherwise.
 */
import { Presets, SingleBar } from 'cli-progress';

/** Shows the progress of a step until it is told to stop. */
export interface StepProgress {
  /** @param total may become known only now */
  update(done: number, total: number): void;
  /** Stop, and clear the bar. */
  stop(): void;
}

/** Whether to show a step. */
export interface StepOptions {
  /** False: show nothing. */
  readonly wanted?: boolean;
  /** Show it even without a terminal, because its input suggests that it will take seconds. */
  readonly long: boolean;
}

/**
 * The appropriate display. It shows something at once, because what comes first, such as loading,
 * may take long.
 * @param what what is being done, such as `verifying vmlinux`
 */
export function stepProgress(what: string, { wanted = true, long }: StepOptions): StepProgress {
  if (wanted && process.stderr.isTTY) return new StepBar(what);
  if (wanted && long) return new StepLines(what);
  return { update: () => undefined, stop: () => undefined };
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

class StepBar implements StepProgress {
  private readonly bar: SingleBar;

  /** Restore the cursor, and then let the signal do what it would have done. */
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
      // It would swallow the signal, and the program would go on.
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

/** One line at first, and one for every ten percent. */
export class StepLines implements StepProgress {
  private tenths = 0;

  constructor(what: string) {
    process.stderr.write(`${what}\n`);
  }

  /** @param remark what follows the percentage, made only for a line that is printed */
  update(done: number, total: number, remark: () => string = () => ''): void {
    const tenths = total === 0 ? 0 : Math.floor((10 * done) / total);
    if (tenths <= this.tenths) return;
    this.tenths = tenths;
    process.stderr.write(`${`${tenths * 10}%`.padStart(4)}${remark()}\n`);
  }

  stop(): void {
    // Lines stay.
  }
}
