/** Runs cases under policies in worker processes, and puts the answers in order. */
import { availableParallelism } from 'node:os';
import { fail, ok, type Result } from '../base/result.js';
import type { PolicyName } from '../unwinder/policy.js';
import { type DeathListener, withLastWords } from '../base/worker-deaths.js';
import { WorkerProcess, workerScript } from '../base/worker-process.js';
import type { CaseRun } from './case-run.js';
import type { KunitCase } from './cases.js';
import { guestKernelOf } from './machines.js';
import type { CaseRequest, KunitMessage } from './kunit-worker.js';
import type { SuiteRun } from './suite-ktap.js';

/** What to run. */
export interface KunitOptions {
  readonly policies: readonly PolicyName[];
  readonly cases: readonly KunitCase[];
  /** Worker processes; default: one for each core. */
  readonly jobs?: number;
  /** Bytes, a multiple of 16, by which stacks begin lower than a case says. */
  readonly stackShift?: number;
  /** Module of the worker. Tests use their own. */
  readonly worker?: string;
  /** Is told of each worker that died and was replaced. */
  readonly died?: DeathListener;
  /** Is told how many runs are done, of all. Each case is one run under each policy. */
  readonly progress?: (done: number, total: number) => void;
}

/** After this time without an answer, a worker is taken to hang in guest code that never stops. */
const WATCHDOG_MS = 60_000;

const SCRIPT = workerScript(import.meta.dirname, 'kunit-worker.js');

/**
 * Run every case under every policy.
 * @returns one suite for each policy, in order; or why no worker can run, in one line
 */
export async function runKunit(options: KunitOptions): Promise<Result<SuiteRun[], string>> {
  const { policies, cases } = options;
  const done = new Map<string, CaseRun>();
  const queue = requestsFor(options);
  const jobs = Math.min(options.jobs ?? availableParallelism(), queue.length);
  const work: Work = {
    script: options.worker ?? SCRIPT,
    queue,
    done,
    died: options.died ?? (() => undefined),
    progress: () => options.progress?.(done.size, policies.length * cases.length),
  };
  const ends = await Promise.all(Array.from({ length: jobs }, () => serve(work)));
  const failed = ends.find((end) => end !== undefined);
  if (failed !== undefined) return fail(failed);
  return ok(
    policies.map((policy) => ({
      policy,
      cases: cases.flatMap((definition) => {
        const run = done.get(keyOf(policy, definition.name));
        return run === undefined ? [] : [{ definition, run }];
      }),
    })),
  );
}

function keyOf(policy: PolicyName, caseName: string): string {
  return `${policy} ${caseName}`;
}

/** One request for each case and kernel. Cases with parameters take longest, so they come first. */
function requestsFor({ policies, cases, stackShift = 0 }: KunitOptions): CaseRequest[] {
  const ordered = [...cases].sort(
    (a, b) => Number(b.async !== undefined) - Number(a.async !== undefined),
  );
  const kernels = [...new Set(policies.map(guestKernelOf))];
  return ordered.flatMap(({ name: caseName }) =>
    kernels.map((kernel) => {
      const walking = policies.filter((policy) => guestKernelOf(policy) === kernel);
      return { policies: walking, caseName, stackShift };
    }),
  );
}

/** What all processes share. */
interface Work {
  readonly script: string;
  readonly queue: CaseRequest[];
  readonly done: Map<string, CaseRun>;
  readonly died: DeathListener;
  readonly progress: () => void;
}

/** Work through the queue in one process after another. @returns why that is impossible */
async function serve(work: Work): Promise<string | undefined> {
  while (work.queue.length > 0) {
    const end = await oneProcess(work);
    if (end !== undefined) return end;
  }
  return undefined;
}

/** Resolves when the queue is empty, or the process is gone. @returns a failure that will recur */
function oneProcess({ script, queue, done, died, progress }: Work): Promise<string | undefined> {
  return new Promise((resolve) => {
    let ready = false;
    let failure: string | undefined;
    const worker = new WorkerProcess<CaseRequest, KunitMessage>(script, WATCHDOG_MS, {
      message: (message) => {
        switch (message.kind) {
          case 'ready':
            ready = true;
            break;
          case 'failed':
            failure = message.message;
            queue.length = 0;
            break;
          case 'result':
            worker.finish();
            for (const run of message.runs) done.set(keyOf(run.policy, run.caseName), run);
            progress();
            break;
        }
        const next = queue.shift();
        if (next === undefined) worker.disconnect();
        else worker.give(next);
      },
      exit: (how, lastWords) => {
        const [unanswered] = worker.abandon();
        if (!ready) {
          failure ??= `a worker process could not start (${withLastWords(how, lastWords)})`;
        } else if (unanswered !== undefined) {
          died(how, lastWords);
        }
        if (unanswered !== undefined && failure === undefined) {
          retryOrLose(unanswered, how, queue, done);
        }
        resolve(failure);
      },
    });
  });
}

/** To find the policy that kills the worker, each gets a worker of its own. */
function retryOrLose(
  request: CaseRequest,
  how: string,
  queue: CaseRequest[],
  done: Map<string, CaseRun>,
): void {
  const { policies, caseName } = request;
  if (policies.length > 1) {
    queue.unshift(...policies.map((policy) => ({ ...request, policies: [policy] })));
    return;
  }
  const problem = `the worker process died (${how})`;
  // Not the name of the case: a reader of KTAP would take the parameter's result for the case's.
  const step = { name: 'any-parameter', probe: undefined, walk: undefined, problem };
  for (const policy of policies) {
    done.set(keyOf(policy, caseName), { policy, caseName, steps: [step], seconds: 0 });
  }
}
