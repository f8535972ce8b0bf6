/**
 * Shows a sweep's progress on standard error: a bar on a terminal, an occasional line otherwise.
 */
import { type Options, Presets, SingleBar } from 'cli-progress';
import type { SweepProgress } from '../sweep/sweep.js';
import { StepLines, type StepProgress, stepProgress } from './step-progress.js';
import { count, plural } from '../base/number-text.js';

/** Shows progress until it is told to stop. */
export interface ProgressDisplay {
  update(progress: SweepProgress): void;
  /** Stop, and clear the bar. */
  stop(): void;
}

/** Measuring this many scenarios takes seconds, and is worth a line of its own. */
const MANY = 100;

/**
 * The appropriate display: none, a bar, or lines.
 * @param scenarios how many are swept
 * @param what is swept, for the first line
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

  /** Shown until all scenarios are measured, because before that nothing can be estimated. */
  private readonly measuring: StepProgress;

  constructor(scenarios: number) {
    this.measuring = measuringProgress(scenarios);
    const options: Options = {
      stream: process.stderr,
      format: '{bar} {percentage}%  {points} points  {rate}/s  ETA {eta_formatted}  {scenario}',
      barsize: 20,
      clearOnComplete: true,
      hideCursor: true,
      // Units differ in cost, so an estimate from only a few would jump.
      etaBuffer: 64,
      // The command handles Ctrl-C, because it must also end the workers.
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

/** One line for every ten percent. */
class ProgressLines implements ProgressDisplay {
  private readonly rate = new Rate();
  private readonly lines: StepLines;
  private readonly measuring: StepProgress | undefined;

  constructor(scenarios: number, what: string) {
    this.lines = new StepLines(`sweeping ${what}`);
    if (scenarios >= MANY) this.measuring = measuringProgress(scenarios);
  }

  update({ measured, done, total, points }: SweepProgress): void {
    if (total === 0) this.measuring?.update(measured.done, measured.total);
    this.lines.update(done, total, () => `  ${plural(points, 'point')}, ${this.rate.of(points)}/s`);
  }

  stop(): void {
    // Lines stay.
  }
}

/**
 * Progress of the runs without exceptions, which come first and measure how long each scenario is.
 */
function measuringProgress(scenarios: number): StepProgress {
  return stepProgress(`measuring ${plural(scenarios, 'scenario')}`, { long: true });
}
