/** Progress of a sweep on standard error: a bar on a terminal, rare lines otherwise. */
import { type Options, Presets, SingleBar } from 'cli-progress';
import type { SweepProgress } from '../sweep/sweep.js';
import { type StepProgress, stepProgress } from './step-progress.js';
import { count, plural } from '../base/number-text.js';

/** Shows progress until it is told to stop. */
export interface ProgressDisplay {
  update(progress: SweepProgress): void;
  /** Clear what is not meant to stay. */
  stop(): void;
}

/** Scenarios that are measured in seconds: as many as are worth a line of their own. */
const MANY = 100;

/**
 * The display that fits: none, a bar, or lines.
 * @param scenarios how many are swept @param what is swept, for the first line
 */
export function progressDisplay(wanted: boolean, scenarios: number, what: string): ProgressDisplay {
  if (!wanted) return { update: () => undefined, stop: () => undefined };
  return process.stderr.isTTY ? new ProgressBar(scenarios) : new ProgressLines(scenarios, what);
}

/** Points per second since something began. */
class Rate {
  private readonly started = performance.now();

  of(points: number): string {
    const seconds = (performance.now() - this.started) / 1000;
    return count(Math.round(points / Math.max(seconds, 0.001)));
  }
}

class ProgressBar implements ProgressDisplay {
  private readonly bar: SingleBar;
  private rate: Rate | undefined;

  /** Shown until there is something to estimate by. */
  private readonly measuring: StepProgress;

  constructor(scenarios: number) {
    this.measuring = measuringProgress(scenarios);
    const options: Options = {
      stream: process.stderr,
      format: '{bar} {percentage}%  {points} points  {rate}/s  ETA {eta_formatted}  {scenario}',
      barsize: 20,
      clearOnComplete: true,
      hideCursor: true,
      // Units differ in cost: an estimate from few of them would jump.
      etaBuffer: 64,
      // Ctrl-C is answered by the command, which also ends the workers.
      gracefulExit: false,
    };
    this.bar = new SingleBar(options, Presets.shades_classic);
  }

  update({ measured, done, total, points, scenario }: SweepProgress): void {
    if (total === 0) {
      this.measuring.update(measured.done, measured.total);
      return;
    }
    this.measuring.stop();
    const started = this.rate !== undefined;
    this.rate ??= new Rate();
    const payload = { points: count(points), rate: this.rate.of(points), scenario };
    if (!started) this.bar.start(total, 0, { ...payload, rate: '?' });
    else this.bar.update(done, payload);
  }

  stop(): void {
    this.measuring.stop();
    if (this.rate !== undefined) this.bar.stop();
    this.rate = undefined;
  }
}

/** One line in ten percent. */
class ProgressLines implements ProgressDisplay {
  private readonly rate = new Rate();
  private tenths = 0;

  private readonly measuring: StepProgress | undefined;

  constructor(scenarios: number, what: string) {
    process.stderr.write(`sweeping ${what}\n`);
    if (scenarios >= MANY) this.measuring = measuringProgress(scenarios);
  }

  update({ measured, done, total, points }: SweepProgress): void {
    if (total === 0) this.measuring?.update(measured.done, measured.total);
    const tenths = total === 0 ? 0 : Math.floor((10 * done) / total);
    if (tenths <= this.tenths) return;
    this.tenths = tenths;
    const percent = `${tenths * 10}%`.padStart(4);
    process.stderr.write(`${percent}  ${plural(points, 'point')}, ${this.rate.of(points)}/s\n`);
  }

  stop(): void {
    // Lines stay.
  }
}

/** Of the runs without exceptions, which come first and show how long each scenario is. */
function measuringProgress(scenarios: number): StepProgress {
  return stepProgress(`measuring ${plural(scenarios, 'scenario')}`, { long: true });
}
