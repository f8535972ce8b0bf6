/**
 * Verifies a file with worker processes. Batches of groups go to whoever is idle, and results are put
 * in order, so the report is the same for any number of workers. A worker that dies is replaced; its
 * batch is halved until the group that kills is found, and that one is reported as skipped.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fail, ok, type Result } from '../emulator/result.js';
import { PACKAGE_ROOT } from '../sweep/package-path.js';
import { type GroupResult, noCounts } from './finding.js';
import { makeReport, type VerifyReport } from './report.js';
import type { Batch, GroupNames, VerifyJob, VerifyMessage } from './verify-worker.js';

/** Groups in a batch: a few tens of milliseconds of work. */
const BATCH = 64;

/** Time without an answer after which a worker is taken to hang. */
const WATCHDOG_MS = 120_000;

/** What to verify, and how. */
export interface PoolOptions {
  readonly file: string;
  readonly glob?: string | undefined;
  readonly jobs: number;
  /** Module of the worker: tests have others. */
  readonly worker?: string;
  /** Groups done, of all. */
  readonly progress?: (done: number, total: number) => void;
}

/** A report, and what it cost. */
export interface PoolOutcome {
  readonly report: VerifyReport;
  /** Largest resident sets of all workers, in bytes, summed. */
  readonly memory: number;
}

/** Verify a file. The error is one line. */
export async function verifyInPool(options: PoolOptions): Promise<Result<PoolOutcome, string>> {
  const pool = new Pool(options);
  try {
    return await pool.run();
  } finally {
    pool.close();
  }
}

interface Worker {
  readonly process: ChildProcess;
  ready: boolean;
  batch: Batch | undefined;
  memory: number;
  watchdog: NodeJS.Timeout | undefined;
}

class Pool {
  private readonly workers = new Set<Worker>();
  private readonly queue: Batch[] = [];
  private readonly results: (GroupResult | undefined)[] = [];
  private names: readonly GroupNames[] | undefined;
  private left = 0;
  private memory = 0;
  private closed = false;
  private finish: (outcome: Result<PoolOutcome, string>) => void = () => undefined;

  constructor(private readonly options: PoolOptions) {}

  run(): Promise<Result<PoolOutcome, string>> {
    return new Promise((resolve) => {
      this.finish = resolve;
      this.spawn();
    });
  }

  close(): void {
    this.closed = true;
    for (const worker of this.workers) {
      clearTimeout(worker.watchdog);
      worker.process.kill('SIGKILL');
    }
    this.workers.clear();
  }

  private spawn(): void {
    const { file, glob, worker: path = workerPath() } = this.options;
    const child = fork(path, [], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    const worker: Worker = {
      process: child,
      ready: false,
      batch: undefined,
      memory: 0,
      watchdog: undefined,
    };
    this.workers.add(worker);
    child.on('message', (message: VerifyMessage) => {
      this.hear(worker, message);
    });
    child.on('exit', (code, signal) => {
      this.died(worker, signal === null ? `exit code ${code ?? '?'}` : `signal ${signal}`);
    });
    const job: VerifyJob = { file, glob, listing: this.names === undefined };
    child.send(job);
    this.watch(worker);
  }

  private watch(worker: Worker): void {
    clearTimeout(worker.watchdog);
    worker.watchdog = setTimeout(() => worker.process.kill('SIGKILL'), WATCHDOG_MS);
  }

  private hear(worker: Worker, message: VerifyMessage): void {
    if (this.closed) return;
    clearTimeout(worker.watchdog);
    switch (message.kind) {
      case 'failed':
        this.finish(fail(message.message));
        break;
      case 'ready':
        worker.ready = true;
        if (message.groups !== undefined) this.begin(message.groups);
        this.feed(worker);
        break;
      case 'result': {
        worker.batch = undefined;
        this.memory += Math.max(0, message.memory - worker.memory);
        worker.memory = Math.max(worker.memory, message.memory);
        for (const [i, result] of message.results.entries()) {
          this.answer(message.batch.from + i, result);
        }
        this.feed(worker);
        break;
      }
    }
  }

  /** The first worker is ready: now it is known how much there is to do. */
  private begin(names: readonly GroupNames[]): void {
    this.names = names;
    this.left = names.length;
    if (this.left === 0) {
      this.end();
      return;
    }
    const size = Math.max(1, Math.min(BATCH, Math.ceil(names.length / (4 * this.options.jobs))));
    for (let from = 0; from < names.length; from += size) {
      this.queue.push({ from, to: Math.min(from + size, names.length) });
    }
    // A small file is done before another process has started.
    const wanted = Math.min(this.options.jobs, Math.ceil(names.length / BATCH));
    while (this.workers.size < wanted) this.spawn();
  }

  private feed(worker: Worker): void {
    const batch = worker.ready ? this.queue.shift() : undefined;
    if (batch === undefined) return;
    worker.batch = batch;
    worker.process.send(batch);
    this.watch(worker);
  }

  private answer(group: number, result: GroupResult): void {
    if (this.results[group] !== undefined) return;
    this.results[group] = result;
    this.left--;
    const total = this.names?.length ?? 0;
    this.options.progress?.(total - this.left, total);
    if (this.left === 0) this.end();
  }

  private end(): void {
    const results = this.results.filter((result) => result !== undefined);
    this.finish(ok({ report: makeReport(results), memory: this.memory }));
  }

  private died(worker: Worker, how: string): void {
    clearTimeout(worker.watchdog);
    this.workers.delete(worker);
    if (this.closed) return;
    const { batch } = worker;
    if (batch === undefined) {
      if (!worker.ready) this.finish(fail(`a worker process could not start (${how})`));
      else if (this.queue.length > 0) this.spawn();
      return;
    }
    const { from, to } = batch;
    if (to - from > 1) {
      const middle = (from + to) >>> 1;
      this.queue.unshift({ from, to: middle }, { from: middle, to });
    } else {
      const reason = `the process that executed it ended (${how})`;
      const skipped = (this.names?.[from] ?? []).map((named) => ({ ...named, reason }));
      const counts = { ...noCounts(), functions: skipped.length };
      const nothing = { findings: [], notes: [], unreached: [], unreachedRows: [] };
      this.answer(from, { ...nothing, counts, skipped });
    }
    if (this.left > 0) this.spawn();
  }
}

/** The compiled worker: beside this file, or in dist/ when the sources themselves are run. */
function workerPath(): string {
  const beside = join(import.meta.dirname, 'verify-worker.js');
  return existsSync(beside) ? beside : join(PACKAGE_ROOT, 'dist/verify/verify-worker.js');
}
