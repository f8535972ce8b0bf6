/** Repeated measurement: every number the bench prints is the median of some rounds. */

/** The median of at least one value. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/** One round: how much was done, in how much time. */
export interface Round {
  readonly count: number;
  /** Wall-clock time. */
  readonly seconds: number;
  /** CPU time of this process; undefined when other processes did the work. */
  readonly cpuSeconds?: number;
}

/** A rate per second: the median of some rounds, and their spread. */
export interface Rate {
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
  readonly rounds: number;
  /** The median per CPU second, which other processes on the machine disturb less. */
  readonly perCpuSecond?: number;
}

/** The rate over some rounds. */
export function rateOf(rounds: readonly Round[]): Rate {
  const rates = rounds.map(({ count, seconds }) => count / seconds);
  const cpu = rounds.flatMap(({ count, cpuSeconds }) =>
    cpuSeconds === undefined ? [] : [count / cpuSeconds],
  );
  return {
    median: median(rates),
    lowest: Math.min(...rates),
    highest: Math.max(...rates),
    rounds: rounds.length,
    ...(cpu.length === 0 ? {} : { perCpuSecond: median(cpu) }),
  };
}

/** A clock that starts when it is created. */
export class Stopwatch {
  private readonly started = process.hrtime.bigint();
  private readonly cpu = process.cpuUsage();

  seconds(): number {
    return Number(process.hrtime.bigint() - this.started) / 1e9;
  }

  /** The round since the start, in which `count` operations were done. */
  round(count: number): Round {
    const { user, system } = process.cpuUsage(this.cpu);
    return { count, seconds: this.seconds(), cpuSeconds: (user + system) / 1e6 };
  }
}

/**
 * Measure `operation` in `rounds` rounds of about `seconds` each, after one round that is not
 * counted.
 */
export function measure(rounds: number, seconds: number, operation: () => void): Rate {
  const batch = 2000;
  const round = (): Round => {
    const watch = new Stopwatch();
    let count = 0;
    while (watch.seconds() < seconds) {
      for (let i = 0; i < batch; i++) operation();
      count += batch;
    }
    return watch.round(count);
  };
  round();
  return rateOf(Array.from({ length: rounds }, round));
}
