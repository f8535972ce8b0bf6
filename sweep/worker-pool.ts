/**
 * Worker processes. Units go to whoever has least to do, results come back in any order. A worker
 * that dies is replaced; its unit is cut smaller and smaller until the one point that kills is found.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from './package-path.js';
import { isSinglePoint, splitRange, type UnitRequest, type UnitResult } from './unit.js';
import type { WorkerMessage } from './worker.js';

/** Hears what happens in the pool. */
export interface PoolObserver {
  result(request: UnitRequest, result: UnitResult): void;
  /** The point (or the whole setup) that no worker survives. */
  lost(request: UnitRequest, how: string): void;
  /** Workers cannot start at all: nothing further will come. */
  failed(message: string): void;
}

/** Time without an answer after which a worker is taken to hang in guest code that never stops. */
const WATCHDOG_MS = 60_000;

/** Units a worker is given at once, so that it has the next one when it has answered. */
const UNITS_AHEAD = 2;

/** A pool of worker processes. */
export class WorkerPool {
  private readonly queue: UnitRequest[] = [];
  /** Units that were with a worker when it died, with others: each is given to a worker alone. */
  private readonly suspects = new Set<UnitRequest>();
  private readonly workers = new Set<Worker>();
  private outstanding = 0;
  private closed = false;
  private idle: (() => void) | undefined;
  /** Largest resident set that a worker reported, in bytes. */
  peakMemory = 0;

  constructor(
    private readonly jobs: number,
    private readonly observer: PoolObserver,
  ) {}

  /** Execute units; resolves when all have been answered or lost. */
  async run(units: readonly UnitRequest[]): Promise<void> {
    if (this.closed) return;
    this.queue.push(...units);
    this.outstanding += units.length;
    if (this.outstanding === 0) return;
    await new Promise<void>((resolve) => {
      this.idle = resolve;
      const wanted = Math.min(this.jobs, this.queue.length);
      while (this.workers.size < wanted) this.spawn();
      for (const worker of this.workers) this.feed(worker);
    });
  }

  /** End all workers. */
  close(): void {
    this.closed = true;
    this.queue.length = 0;
    for (const worker of this.workers) worker.kill();
    this.workers.clear();
    this.idle?.();
  }

  private spawn(): void {
    const worker = new Worker(
      (message) => {
        this.onMessage(worker, message);
      },
      (how) => {
        this.onExit(worker, how);
      },
    );
    this.workers.add(worker);
  }

  private onMessage(worker: Worker, message: WorkerMessage): void {
    switch (message.kind) {
      case 'ready':
        worker.ready = true;
        this.feed(worker);
        break;
      case 'failed':
        this.observer.failed(message.message);
        this.close();
        break;
      case 'result': {
        const request = worker.finish();
        this.peakMemory = Math.max(this.peakMemory, message.memory);
        if (request !== undefined) {
          this.observer.result(request, message.result);
          this.answered();
        }
        this.feed(worker);
        break;
      }
    }
  }

  private onExit(worker: Worker, how: string): void {
    this.workers.delete(worker);
    if (this.closed) return;
    const unanswered = worker.abandon();
    const [request] = unanswered;
    if (request === undefined) {
      if (!worker.ready) {
        this.observer.failed(`a worker process could not start (${how})`);
        this.close();
      }
      return;
    }
    this.spawn();
    if (unanswered.length > 1) {
      // An answer may have been lost with the process, so it is not certain whose fault it was.
      for (const suspect of unanswered) this.suspects.add(suspect);
      this.queue.unshift(...unanswered);
      return;
    }
    const retries = retriesFor(request, worker.hung);
    if (retries.length === 0) this.observer.lost(request, how);
    this.outstanding += retries.length;
    this.queue.unshift(...retries);
    this.answered();
  }

  private answered(): void {
    this.outstanding--;
    if (this.outstanding === 0) this.idle?.();
  }

  private feed(worker: Worker): void {
    if (!worker.ready) return;
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

  /** Units for each worker, as long as all can have as many: the last ones go to who is idle. */
  private shareOfTheRest(): number {
    return Math.ceil(this.queue.length / this.jobs);
  }
}

/**
 * What to try instead of a unit that no worker survived: one that hung is taken step by step, where
 * an instruction budget finds the point that runs away; any other is cut up.
 */
function retriesFor(request: UnitRequest, hung: boolean): UnitRequest[] {
  if (hung && request.stepped !== true) return [{ ...request, stepped: true }];
  if (isSinglePoint(request.range)) return [];
  return splitRange(request.range).map((range) => ({ ...request, range }));
}

/** The compiled worker: beside this file, or in dist/ when the sources themselves are run. */
function workerPath(): string {
  const beside = join(import.meta.dirname, 'worker.js');
  return existsSync(beside) ? beside : join(PACKAGE_ROOT, 'dist/sweep/worker.js');
}

/** One worker process and the units it has. */
class Worker {
  ready = false;
  /** Killed because it gave no answer. */
  hung = false;
  /** In the order in which it executes and answers them. */
  private readonly requests: UnitRequest[] = [];
  private watchdog: NodeJS.Timeout | undefined;
  private readonly process: ChildProcess;

  constructor(onMessage: (message: WorkerMessage) => void, onExit: (how: string) => void) {
    this.process = fork(workerPath(), [], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    this.process.on('message', onMessage);
    this.process.on('exit', (code, signal) => {
      clearTimeout(this.watchdog);
      onExit(signal === null ? `exit code ${code ?? '?'}` : `signal ${signal}`);
    });
  }

  /** Units given and not answered. */
  get load(): number {
    return this.requests.length;
  }

  give(request: UnitRequest): void {
    this.requests.push(request);
    if (this.requests.length === 1) this.watch();
    this.process.send(request);
  }

  private watch(): void {
    this.watchdog = setTimeout(() => {
      this.hung = true;
      this.process.kill('SIGKILL');
    }, WATCHDOG_MS);
  }

  /** The unit that was answered. */
  finish(): UnitRequest | undefined {
    clearTimeout(this.watchdog);
    const request = this.requests.shift();
    if (this.requests.length > 0) this.watch();
    return request;
  }

  /** All units that were not answered. */
  abandon(): UnitRequest[] {
    clearTimeout(this.watchdog);
    return this.requests.splice(0);
  }

  kill(): void {
    clearTimeout(this.watchdog);
    this.process.kill('SIGKILL');
  }
}
