/** One forked worker: the requests it has not answered, and a watch over the time it takes. */
import { type ChildProcess, fork, type Serializable } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { PACKAGE_ROOT } from './package-path.js';

/** What a worker's owner hears of it. */
export interface WorkerEvents<Message> {
  message(message: Message): void;
  /** The process is gone. @param how its exit code or signal, in words @param lastWords see {@link lastWordsOf} */
  exit(how: string, lastWords: string): void;
}

/** Characters of a worker's standard error that are kept: what a crash of node prints besides its reason. */
const KEPT_STDERR = 8192;

/**
 * A worker process. It executes requests in the order in which it gets them; its owner says with
 * {@link finish} that one has been answered.
 */
export class WorkerProcess<Request extends Serializable, Message> {
  /** Killed because it gave no answer. */
  hung = false;
  /** Settles when the process is gone. */
  readonly ended: Promise<void>;
  private readonly requests: Request[] = [];
  private stderr = '';
  private watchdog: NodeJS.Timeout | undefined;
  private readonly process: ChildProcess;

  /**
   * @param script the worker's compiled module, see {@link workerScript}
   * @param patience milliseconds without an answer after which it is taken to hang, and killed
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
        // What it said last may arrive after its end. ('close' never comes when it was let go.)
        if (stderr === null || stderr.closed) end(how);
        else
          stderr.once('close', () => {
            end(how);
          });
      });
      // A request that could not be sent is not lost: the exit of the process follows.
      this.process.on('error', (error) => {
        if (this.process.pid === undefined) end(error.message);
      });
    });
  }

  /** Requests given and not answered. */
  get load(): number {
    return this.requests.length;
  }

  give(request: Request): void {
    this.requests.push(request);
    if (this.requests.length === 1) this.watch();
    this.process.send(request);
  }

  /** The request that was answered: the oldest. */
  finish(): Request | undefined {
    clearTimeout(this.watchdog);
    const request = this.requests.shift();
    if (this.requests.length > 0) this.watch();
    return request;
  }

  /** Requests that will never be answered: their sender is gone. */
  abandon(): Request[] {
    clearTimeout(this.watchdog);
    return this.requests.splice(0);
  }

  /** Let the process end by itself: nothing will be asked of it any more. */
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
 * The compiled module of a worker: beside its owner, or in dist/ when the sources themselves are run.
 * @param directory the owner's own
 * @param file name of the module, with `.js`
 */
export function workerScript(directory: string, file: string): string {
  const beside = join(directory, file);
  if (existsSync(beside)) return beside;
  return join(PACKAGE_ROOT, 'dist', relative(PACKAGE_ROOT, directory), file);
}

/** Lines in which node or the engine says why it ends, the surest first; the rest is where. */
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
  // V8 begins with its process and the time.
  return line
    .replace(/^\[\d+:0x[0-9a-f]+\]\s*/, '')
    .replace(/^(# *)+/, '')
    .slice(0, 200);
}
