/**
 * Runs command lines one after the other in one child process. Most of a run of its own is the start
 * of node and the loading of modules, which a test of a message need not wait for. What is about
 * the process (signals, terminals, closed pipes, its environment) is for run() in run-cli.ts.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { environment, ROOT, type Run, scratchFolder } from './run-cli.js';

const CHILD = fileURLToPath(new URL('cli-session-child.mjs', import.meta.url));
const PROGRAM = join(ROOT, 'dist/cli/program.js');

/** Milliseconds after which a command line is taken to hang: less than a test may take. */
const PATIENCE = 60_000;

/**
 * One child process at a time, started when it is wanted. A command line that ends it has the status
 * and the output of that end, and the next one gets a new child.
 */
export class CliSession {
  private readonly folder = scratchFolder();
  private readonly stdout = join(this.folder.path, 'stdout');
  private readonly stderr = join(this.folder.path, 'stderr');
  private child: ChildProcess | undefined;
  private isBusy = false;
  /** How the child ended when it had nothing to do. */
  private lost: string | undefined;

  /**
   * @param program the module with `runProgram(words)`
   * @param patience milliseconds until a command line is killed
   */
  constructor(
    private readonly program = PROGRAM,
    private readonly patience = PATIENCE,
  ) {}

  /** Run to the end, in the repository, as run() does in a process of its own. */
  async run(args: readonly string[]): Promise<Run> {
    if (this.isBusy) throw new Error('the command line before this one was not waited for');
    this.checkLost();
    this.isBusy = true;
    try {
      const child = (this.child ??= this.start());
      for (const path of [this.stdout, this.stderr]) truncateSync(path);
      const status = await this.execute(child, args);
      const [stdout, stderr] = [this.stdout, this.stderr].map((path) => readFileSync(path, 'utf8'));
      return { status, stdout: stdout ?? '', stderr: stderr ?? '' };
    } finally {
      this.isBusy = false;
    }
  }

  /** End the child: nothing will be run any more. */
  close(): void {
    this.child?.kill('SIGKILL');
    this.folder.remove();
    this.checkLost();
  }

  /** Files take the output: all of it is there when the status is, and also when the child crashes. */
  private start(): ChildProcess {
    const [stdout, stderr] = [openSync(this.stdout, 'a'), openSync(this.stderr, 'a')];
    const child = fork(CHILD, [this.program], {
      cwd: ROOT,
      env: environment({}),
      execArgv: [],
      stdio: ['ignore', stdout, stderr, 'ipc'],
    });
    closeSync(stdout);
    closeSync(stderr);
    child.once('exit', (code, signal) => {
      this.child = undefined;
      if (!this.isBusy) this.lost = signal ?? `status ${code ?? '?'}`;
    });
    return child;
  }

  /** @returns the status that the child answers, or ends with */
  private async execute(child: ChildProcess, args: readonly string[]): Promise<number | null> {
    const over = new AbortController();
    const patience = setTimeout(() => child.kill('SIGKILL'), this.patience);
    try {
      child.send(args);
      const ends = ['message', 'exit'].map((event) => once(child, event, over));
      const [status] = (await Promise.race(ends)) as [number | null];
      return status;
    } finally {
      clearTimeout(patience);
      over.abort();
    }
  }

  /** A command line left something behind that ended the child when nothing was run. */
  private checkLost(): void {
    if (this.lost !== undefined) throw new Error(`the session ended by itself: ${this.lost}`);
  }
}
