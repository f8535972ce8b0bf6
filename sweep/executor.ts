/** What executes the units of a sweep: worker processes, or this process. */
import type { UnitRequest, UnitResult } from './unit.js';

/** Is told the outcome of each unit. */
export interface UnitObserver {
  result(request: UnitRequest, result: UnitResult): void;
  /**
   * No worker process survives this point (or the setup as a whole).
   * @param how they died, in words
   */
  lost(request: UnitRequest, how: string): void;
}

/** Executes units. The answer to a unit does not depend on where or when it is executed. */
export interface UnitExecutor {
  /** Most units that are executed at the same time. */
  readonly jobs: number;
  /** Largest resident set of a process that executed units, in bytes. */
  readonly peakMemory: number;

  /**
   * Execute units, in any order. Resolves when each has been answered or lost, or when it is clear
   * that the rest cannot be executed.
   * @returns why the rest cannot be executed, in one line: no worker process can start
   */
  run(units: readonly UnitRequest[], observer: UnitObserver): Promise<string | undefined>;

  /**
   * Drop the units that have not been executed: {@link run} resolves. Settles when nothing runs any
   * more.
   */
  close(): Promise<void>;
}
