/**
 * Worker processes. Units go to the least busy worker, and results come back in any order. A worker
 * that dies is replaced. Its unit is split again and again, until the point that killed it is
 * found.
 */
import type { UnitExecutor, UnitObserver } from './executor.js';
import type { UnitRequest } from './unit.js';
import { isMeasuring, isSinglePoint, splitRange } from './range.js';
import type { WorkerMessage } from './worker.js';
import { type DeathListener, withLastWords } from '../base/worker-deaths.js';
import { WorkerProcess, workerScript } from '../base/worker-process.js';

/** The workers of a pool. */
export interface PoolOptions {
  /** Most worker processes at a time. */
  readonly jobs: number;
  /** Module of the worker. Tests use their own. */
  readonly worker?: string;
  /** Is told of each worker that died and was replaced. */
  readonly died?: DeathListener;
}

/** After this time without an answer, a worker is taken to hang in guest code that never stops. */
const WATCHDOG_MS = 60_000;

const HUNG = `no answer for ${WATCHDOG_MS / 1000} s`;

/** Units that a worker holds at once, so that the next one is there when it has answered. */
const UNITS_AHEAD = 2;

type Worker = WorkerProcess<UnitRequest, WorkerMessage>;

const SCRIPT = workerScript(import.meta.dirname, 'worker.js');

/** A pool of worker processes. */
export class WorkerPool implements UnitExecutor {
  readonly jobs: number;
  peakMemory = 0;
  private readonly script: string;
  private readonly died: DeathListener;
  private readonly queue: UnitRequest[] = [];
  /**
   * Units that a worker held together with others when it died. Each is tried alone on a worker.
   */
  private readonly suspects = new Set<UnitRequest>();
  private readonly workers = new Set<Worker>();
  private readonly ready = new WeakSet<Worker>();
  private outstanding = 0;
  private closed = false;
  /** Why no worker can work. */
  private failure: string | undefined;
  private observer: UnitObserver | undefined;
  private idle: (() => void) | undefined;

  constructor({ jobs, worker = SCRIPT, died = () => undefined }: PoolOptions) {
    this.jobs = jobs;
    this.script = worker;
    this.died = died;
  }

  async run(units: readonly UnitRequest[], observer: UnitObserver): Promise<string | undefined> {
    if (this.closed) return this.failure;
    this.queue.push(...units);
    this.outstanding += units.length;
    if (this.outstanding === 0) return undefined;
    await new Promise<void>((resolve) => {
      this.observer = observer;
      this.idle = resolve;
      const wanted = Math.min(this.jobs, this.queue.length);
      while (this.workers.size < wanted) this.spawn();
      for (const worker of this.workers) this.feed(worker);
    });
    return this.failure;
  }

  /** End all workers; settles when they are gone. */
  async close(): Promise<void> {
    this.closed = true;
    this.queue.length = 0;
    for (const worker of this.workers) worker.kill();
    this.idle?.();
    await Promise.all([...this.workers].map(({ ended }) => ended));
  }

  private spawn(): void {
    const worker: Worker = new WorkerProcess(this.script, WATCHDOG_MS, {
      message: (message) => {
        this.onMessage(worker, message);
      },
      exit: (how, lastWords) => {
        this.onExit(worker, how, lastWords);
      },
    });
    this.workers.add(worker);
  }

  private onMessage(worker: Worker, message: WorkerMessage): void {
    if (this.closed) return;
    switch (message.kind) {
      case 'ready':
        this.ready.add(worker);
        this.feed(worker);
        break;
      case 'failed':
        this.fail(message.message);
        break;
      case 'result': {
        const request = worker.finish();
        this.peakMemory = Math.max(this.peakMemory, message.memory);
        if (request !== undefined) {
          this.observer?.result(request, message.result);
          this.answered();
        }
        this.feed(worker);
        break;
      }
    }
  }

  private onExit(worker: Worker, how: string, lastWords: string): void {
    this.workers.delete(worker);
    if (this.closed) return;
    const unanswered = worker.abandon();
    const [request] = unanswered;
    if (request === undefined) {
      if (!this.ready.has(worker)) {
        this.fail(`a worker process could not start (${withLastWords(how, lastWords)})`);
      } else {
        this.died(how, lastWords);
      }
      return;
    }
    this.died(worker.hung ? HUNG : how, lastWords);
    this.spawn();
    if (unanswered.length > 1) {
      // An answer may have been lost with the process, so any of these units may have killed it.
      for (const suspect of unanswered) this.suspects.add(suspect);
      this.queue.unshift(...unanswered);
      return;
    }
    const retries = retriesFor(request, worker.hung);
    if (retries.length === 0) this.observer?.lost(request, worker.hung ? HUNG : how);
    this.outstanding += retries.length;
    this.queue.unshift(...retries);
    this.answered();
  }

  /** Workers cannot start at all, so no more answers will come. */
  private fail(message: string): void {
    this.failure ??= message;
    void this.close();
  }

  private answered(): void {
    this.outstanding--;
    if (this.outstanding === 0) this.idle?.();
  }

  private feed(worker: Worker): void {
    if (!this.ready.has(worker)) return;
    while (worker.load < UNITS_AHEAD) {
      const [next] = this.queue;
      if (next === undefined) return;
      const alone = this.suspects.has(next);
      if (worker.load > 0 && (alone || worker.load >= this.shareOfTheRest())) return;
      this.queue.shift();
      worker.give(next);
      if (alone) return;
    }
  }

  /** Units for each worker if they are shared evenly, so that the last ones go to idle workers. */
  private shareOfTheRest(): number {
    return Math.ceil(this.queue.length / this.jobs);
  }
}

/**
 * What to try instead of a unit that no worker survived. A unit that hung is stepped, because then
 * an instruction budget finds the point that runs away. Any other unit is split. A run without
 * points always executes from its start, so splitting it would not help.
 */
function retriesFor(request: UnitRequest, hung: boolean): UnitRequest[] {
  if (isMeasuring(request.range)) return [];
  if (hung && request.stepped !== true) return [{ ...request, stepped: true }];
  if (isSinglePoint(request.range)) return [];
  return splitRange(request.range).map((range) => ({ ...request, range }));
}
