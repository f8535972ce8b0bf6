/** One forked worker: the requests it has not answered, and a watch over the time it takes. */
import { type ChildProcess, fork, type Serializable } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { PACKAGE_ROOT } from './package-path.js';

/** What a worker's owner hears of it. */
export interface WorkerEvents<Message> {
  message(message: Message): void;
  /** The process is gone. @param how its exit code or signal, in words */
  exit(how: string): void;
}

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
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    this.process.on('message', (message) => {
      events.message(message as Message);
    });
    this.ended = new Promise((resolve) => {
      const end = (how: string): void => {
        clearTimeout(this.watchdog);
        resolve();
        events.exit(how);
      };
      this.process.on('exit', (code, signal) => {
        end(signal === null ? `exit code ${code ?? '?'}` : `signal ${signal}`);
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
