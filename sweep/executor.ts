/** What executes the units of a sweep: worker processes, or this process. */
import type { UnitRequest, UnitResult } from './unit.js';

/** Hears what becomes of units. */
export interface UnitObserver {
  result(request: UnitRequest, result: UnitResult): void;
  /** The point (or the whole setup) that no worker process survives. @param how they died, in words */
  lost(request: UnitRequest, how: string): void;
}

/** Executes units. Which unit is executed where and when makes no difference to its answer. */
export interface UnitExecutor {
  /** Units that are executed at the same time, at most. */
  readonly jobs: number;
  /** Largest resident set of a process that executed units, in bytes. */
  readonly peakMemory: number;

  /**
   * Execute units, in any order. Resolves when each has been answered or lost, or when it is clear
   * that the rest never will be.
   * @returns why they never will be, in one line: no worker process can start
   */
  run(units: readonly UnitRequest[], observer: UnitObserver): Promise<string | undefined>;

  /** Give up what is still to be executed: {@link run} resolves. Settles when nothing is executed. */
  close(): Promise<void>;
}
