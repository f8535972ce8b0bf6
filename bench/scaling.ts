/**
 * One worker process against two, in the same sweep that users run, and the memory that a worker
 * needs.
 */
import { readFileSync } from 'node:fs';
import { ALL_KINDS } from '../kernel-model/exception-kind.js';
import { Sweep } from '../sweep/sweep.js';
import { WorkerPool } from '../sweep/worker-pool.js';
import type { LabTarget } from '../lab/target.js';
import type { PolicyName } from '../unwinder/policy.js';
import { median, type Rate, rateOf, type Round } from './rounds.js';

/** Points per second of whole sweeps, including the start of the workers. */
export interface Scaling {
  readonly points: number;
  readonly one: Rate;
  readonly two: Rate;
  /** Median of the rounds' ratios. Each round runs both sweeps, one after the other. */
  readonly factor: number;
  /** Largest resident set of any worker, in bytes. */
  readonly peakMemory: number;
  /**
   * True where the system reports the high-water mark; otherwise the value is the highest between
   * two units.
   */
  readonly highWater: boolean;
}

const SAMPLE_MS = 50;

/** Sweep the targets with one and with two workers, in several rounds. */
export async function measureScaling(
  targets: readonly LabTarget[],
  policies: readonly PolicyName[],
  rounds: number,
): Promise<Scaling> {
  const one: Round[] = [];
  const two: Round[] = [];
  const memory = new ChildMemory();
  let points = 0;
  let reported = 0;
  for (let i = 0; i < rounds; i++) {
    for (const jobs of [1, 2]) {
      const options = { targets, policies, kinds: ALL_KINDS, replay: () => '' };
      const sweep = new Sweep(options, new WorkerPool({ jobs }));
      const outcome = await sweep.run();
      if (!('report' in outcome)) throw new Error(outcome.message);
      points = outcome.report.points;
      reported = Math.max(reported, outcome.peakMemory);
      (jobs === 1 ? one : two).push({ count: points, seconds: outcome.report.seconds });
    }
  }
  memory.stop();
  return {
    points,
    one: rateOf(one),
    two: rateOf(two),
    factor: median(two.map(({ seconds }, i) => (one[i]?.seconds ?? NaN) / seconds)),
    peakMemory: Math.max(reported, memory.peak),
    highWater: memory.peak > 0,
  };
}

/** Watches the high-water marks of this process's children, where /proc has them (Linux). */
class ChildMemory {
  peak = 0;
  private readonly timer = setInterval(() => {
    for (const pid of children()) this.peak = Math.max(this.peak, highWaterMark(pid));
  }, SAMPLE_MS);

  stop(): void {
    clearInterval(this.timer);
  }
}

function children(): string[] {
  const text = read(`/proc/self/task/${process.pid}/children`);
  return text.split(' ').filter((pid) => pid !== '');
}

/**
 * The high-water mark of a process, in bytes; 0 when the process is gone. VmHWM is in KiB
 * (proc_pid_status(5)).
 */
function highWaterMark(pid: string): number {
  const match = /^VmHWM:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`));
  return match === null ? 0 : Number(match[1]) * 1024;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
