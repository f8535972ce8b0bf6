/**
 * Executes units in this process, one after the other. Nothing protects the process from what it
 * executes: an abort of the engine ends it, and a guest that never stops hangs it. Worker processes
 * (worker-pool.ts) lose a single point to either.
 */
import { setImmediate } from 'node:timers/promises';
import type { UnitExecutor, UnitObserver } from './executor.js';
import type { UnitRequest, UnitResult } from './unit.js';

/** Executes one unit; see `UnitRunner`. */
export interface Runner {
  run(request: UnitRequest): Promise<UnitResult>;
}

/** An executor that needs no other process. */
export class InProcessExecutor implements UnitExecutor {
  readonly jobs = 1;
  peakMemory = 0;
  private closed = false;

  constructor(private readonly runner: Runner) {}

  async run(units: readonly UnitRequest[], observer: UnitObserver): Promise<undefined> {
    for (const unit of units) {
      // A unit never yields, so let signals and the progress display have their turn here.
      await setImmediate();
      if (this.closed) return;
      const result = await this.runner.run(unit);
      this.peakMemory = Math.max(this.peakMemory, process.memoryUsage.rss());
      observer.result(unit, result);
    }
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}
