/**
 * Verifies a file with worker processes. Idle workers get batches of groups, and the results are put in
 * order, so the report is the same for any number of workers. A worker that dies is replaced. Its batch
 * is halved until the group that kills workers is found, and that group is reported as skipped.
 */
import { fail, ok, type Result } from '../base/result.js';
import { type DeathListener, withLastWords } from '../base/worker-deaths.js';
import { WorkerProcess, workerScript } from '../base/worker-process.js';
import { type GroupResult, noCounts } from './finding.js';
import { INTERRUPTED, makeReport, type VerifyReport } from './report.js';
import type { Batch, GroupNames, Listing, VerifyJob, VerifyMessage } from './verify-worker.js';

/** Groups in a batch, which take some tens of milliseconds. */
const BATCH = 64;

/** Milliseconds without an answer after which a worker counts as hung. */
const WATCHDOG_MS = 120_000;

/** What to verify, and how. */
export interface PoolOptions {
  readonly file: string;
  readonly glob?: string | undefined;
  readonly jobs: number;
  /** Path of the worker's module. Tests have their own. */
  readonly worker?: string;
  /** Ends it early: what was not verified until then is reported as skipped, {@link INTERRUPTED}. */
  readonly signal?: AbortSignal;
  /** Hears of each worker that died and was replaced. */
  readonly died?: DeathListener;
  /** Called with the number of groups that are done, and of all groups. */
  readonly progress?: (done: number, total: number) => void;
}

/** A report, and what it cost. */
export interface PoolOutcome {
  readonly report: VerifyReport;
  /** Sum of the largest resident sets of all workers, in bytes. */
  readonly memory: number;
  /** {@link Program.layoutNote}. */
  readonly layoutNote: string | undefined;
}

/** Verify a file. The error is one line. */
export async function verifyInPool(options: PoolOptions): Promise<Result<PoolOutcome, string>> {
  const pool = new Pool(options);
  try {
    return await pool.run();
  } finally {
    await pool.close();
  }
}

/** A worker, which gets its job first and then batches. */
type Worker = WorkerProcess<VerifyJob | Batch, VerifyMessage>;

const SCRIPT = workerScript(import.meta.dirname, 'verify-worker.js');

class Pool {
  /** The live workers, with the largest resident set that each has reported, in bytes. */
  private readonly workers = new Map<Worker, number>();
  private readonly ready = new WeakSet<Worker>();
  private readonly queue: Batch[] = [];
  private readonly results: (GroupResult | undefined)[] = [];
  private names: readonly GroupNames[] | undefined;
  private layoutNote: string | undefined;
  private left = 0;
  private memory = 0;
  private closed = false;
  private finish: (outcome: Result<PoolOutcome, string>) => void = () => undefined;

  constructor(private readonly options: PoolOptions) {}

  run(): Promise<Result<PoolOutcome, string>> {
    return new Promise((resolve) => {
      this.finish = resolve;
      this.options.signal?.addEventListener('abort', () => {
        this.interrupt();
      });
      this.spawn();
    });
  }

  /** Answer for what has not been verified. */
  private interrupt(): void {
    if (this.names === undefined) this.finish(fail(INTERRUPTED));
    for (const [i, group] of (this.names ?? []).entries()) {
      this.answer(i, nothingOf(group, INTERRUPTED));
    }
  }

  /** End all workers; settles when they are gone. */
  async close(): Promise<void> {
    this.closed = true;
    const workers = [...this.workers.keys()];
    for (const worker of workers) worker.kill();
    await Promise.all(workers.map(({ ended }) => ended));
  }

  private spawn(): void {
    const { file, glob, worker: script = SCRIPT } = this.options;
    const worker: Worker = new WorkerProcess(script, WATCHDOG_MS, {
      message: (message) => {
        this.hear(worker, message);
      },
      exit: (how, lastWords) => {
        this.died(worker, how, lastWords);
      },
    });
    this.workers.set(worker, 0);
    worker.give({ file, glob, listing: this.names === undefined });
  }

  private hear(worker: Worker, message: VerifyMessage): void {
    if (this.closed) return;
    switch (message.kind) {
      case 'failed':
        this.finish(fail(message.message));
        break;
      case 'ready':
        worker.finish();
        this.ready.add(worker);
        if (message.listing !== undefined) this.begin(message.listing);
        this.feed(worker);
        break;
      case 'result': {
        worker.finish();
        this.growTo(worker, message.memory);
        for (const [i, result] of message.results.entries()) {
          this.answer(message.batch.from + i, result);
        }
        this.feed(worker);
        break;
      }
    }
  }

  /** The first worker has listed the groups: cut them into batches, and start more workers. */
  private begin({ groups: names, layoutNote }: Listing): void {
    this.layoutNote = layoutNote;
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
    // A small file would be done before another process has started.
    const wanted = Math.min(this.options.jobs, Math.ceil(names.length / BATCH));
    while (this.workers.size < wanted) this.spawn();
  }

  private feed(worker: Worker): void {
    const batch = this.ready.has(worker) ? this.queue.shift() : undefined;
    if (batch !== undefined) worker.give(batch);
  }

  private growTo(worker: Worker, memory: number): void {
    const before = this.workers.get(worker) ?? 0;
    if (memory <= before) return;
    this.memory += memory - before;
    this.workers.set(worker, memory);
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
    this.finish(
      ok({ report: makeReport(results), memory: this.memory, layoutNote: this.layoutNote }),
    );
  }

  private died(worker: Worker, how: string, lastWords: string): void {
    this.workers.delete(worker);
    if (this.closed) return;
    const [unanswered] = worker.abandon();
    if (unanswered === undefined || 'file' in unanswered) {
      if (!this.ready.has(worker)) {
        const why = withLastWords(how, lastWords);
        this.finish(fail(`a worker process could not start (${why})`));
        return;
      }
      this.options.died?.(how, lastWords);
      if (this.queue.length > 0) this.spawn();
      return;
    }
    this.options.died?.(how, lastWords);
    const { from, to } = unanswered;
    if (to - from > 1) {
      const middle = (from + to) >>> 1;
      this.queue.unshift({ from, to: middle }, { from: middle, to });
    } else {
      const reason = `its worker process died (${how})`;
      this.answer(from, nothingOf(this.names?.[from] ?? [], reason));
    }
    if (this.left > 0) this.spawn();
  }
}

/** The result for functions that could not be executed: they count, and nothing of them is reached. */
function nothingOf(group: GroupNames, reason: string): GroupResult {
  const counts = noCounts();
  for (const { size, rows } of group) {
    counts.functions++;
    counts.instructions += Math.ceil(size / 4);
    counts.rows += rows;
    counts.rowsUnreached += rows;
  }
  return {
    counts,
    findings: [],
    notes: [],
    unreached: group
      .filter(({ size }) => size > 0)
      .map(({ fn, start, size }) => ({ fn, start, size, reason: 'skipped' })),
    unreachedRows: [],
    skipped: group.map(({ fn, start }) => ({ fn, start, reason })),
  };
}
