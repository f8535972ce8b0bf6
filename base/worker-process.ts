/** One forked worker: its unanswered requests, and a watchdog for the time that it takes. */
import { type ChildProcess, fork, type Serializable } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { PACKAGE_ROOT } from './package-path.js';

/** Callbacks to the owner of a worker. */
export interface WorkerEvents<Message> {
  message(message: Message): void;
  /**
   * The process is gone.
   * @param how its exit code or signal, in words
   * @param lastWords see {@link lastWordsOf}
   */
  exit(how: string, lastWords: string): void;
}

/**
 * Characters of a worker's standard error that are kept: enough for all that node prints when it
 * crashes.
 */
const KEPT_STDERR = 8192;

/**
 * A worker process. It executes its requests in order; the owner calls {@link finish} when one has
 * been answered.
 */
export class WorkerProcess<Request extends Serializable, Message> {
  /** It was killed because it did not answer in time. */
  hung = false;
  /** Settles when the process is gone. */
  readonly ended: Promise<void>;
  private readonly requests: Request[] = [];
  private stderr = '';
  private watchdog: NodeJS.Timeout | undefined;
  private readonly process: ChildProcess;

  /**
   * @param script the worker's compiled module, see {@link workerScript}
   * @param patience milliseconds without an answer after which the worker counts as hung and is
   * killed
   */
  constructor(
    script: string,
    private readonly patience: number,
    events: WorkerEvents<Message>,
  ) {
    this.process = fork(script, [], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.process.on('message', (message) => {
      events.message(message as Message);
    });
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr = `${this.stderr}${text}`.slice(-KEPT_STDERR);
    });
    this.ended = new Promise((resolve) => {
      const end = (how: string): void => {
        clearTimeout(this.watchdog);
        resolve();
        events.exit(how, lastWordsOf(this.stderr));
      };
      this.process.on('exit', (code, signal) => {
        const how = signal === null ? `exit code ${code ?? '?'}` : `signal ${signal}`;
        const { stderr } = this.process;
        // Its last output may arrive after its exit, so wait for stderr. The process's own 'close'
        // event never comes after disconnect().
        if (stderr === null || stderr.closed) end(how);
        else
          stderr.once('close', () => {
            end(how);
          });
      });
      // A request that could not be sent needs no handling here: the process's exit follows, and
      // the owner then abandons it.
      this.process.on('error', (error) => {
        if (this.process.pid === undefined) end(error.message);
      });
    });
  }

  /** Number of requests that are not answered yet. */
  get load(): number {
    return this.requests.length;
  }

  /** Queues a request and sends it to the process. */
  give(request: Request): void {
    this.requests.push(request);
    if (this.requests.length === 1) this.watch();
    this.process.send(request);
  }

  /** Takes the oldest request off the queue: it is the one that was answered. */
  finish(): Request | undefined {
    clearTimeout(this.watchdog);
    const request = this.requests.shift();
    if (this.requests.length > 0) this.watch();
    return request;
  }

  /** Takes every unanswered request off the queue, for use once the process is gone. */
  abandon(): Request[] {
    clearTimeout(this.watchdog);
    return this.requests.splice(0);
  }

  /** Lets the process exit on its own: no more requests will follow. */
  disconnect(): void {
    clearTimeout(this.watchdog);
    this.process.disconnect();
  }

  kill(): void {
    clearTimeout(this.watchdog);
    this.process.kill('SIGKILL');
  }

  private watch(): void {
    this.watchdog = setTimeout(() => {
      this.hung = true;
      this.process.kill('SIGKILL');
    }, this.patience);
  }
}

/**
 * The path of a worker's compiled module: next to its owner, or in dist/ when the sources are run.
 * @param directory the owner's directory
 * @param file name of the module, with `.js`
 */
export function workerScript(directory: string, file: string): string {
  const beside = join(directory, file);
  if (existsSync(beside)) return beside;
  return join(PACKAGE_ROOT, 'dist', relative(PACKAGE_ROOT, directory), file);
}

/** Lines in which node or the engine says why it ends, the most reliable kind first. */
const REASONS = [
  /^\w*Error\b.*:|^FATAL ERROR|Fatal process/,
  /could not|cannot|fatal|out of memory|assert|abort/i,
];

/**
 * Why a process ended, from what it said on standard error: one line, or ''.
 * @param stderr the end of it
 */
export function lastWordsOf(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.trim());
  const said = lines.filter(
    (line) => /[A-Za-z]/.test(line) && !/^(at |file:|Node\.js v)/.test(line),
  );
  const [line = said.at(-1) ?? ''] = REASONS.flatMap((reason) =>
    said.filter((one) => reason.test(one)),
  );
  // V8 starts its lines with the process and the time.
  return line
    .replace(/^\[\d+:0x[0-9a-f]+\]\s*/, '')
    .replace(/^(# *)+/, '')
    .slice(0, 200);
}
