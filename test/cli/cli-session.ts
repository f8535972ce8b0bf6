/**
 * Runs command lines one after the other in one child process. Most of a run of its own is the start
 * of node and the loading of modules, which a test of a message need not wait for. What is about
 * the process (signals, terminals, closed pipes, its environment) is for run() in run-cli.ts.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { environment, ROOT, type Run, scratchFolder } from './run-cli.js';

const CHILD = fileURLToPath(new URL('cli-session-child.mjs', import.meta.url));

/** How a session differs from the usual one. */
export interface SessionOptions {
  /** The module with `runProgram(words)`. */
  readonly program?: string;
  /** Milliseconds until a command line is taken to hang, and killed: less than a test may take. */
  readonly patience?: number;
  /** Where command lines work; default the repository. */
  readonly folder?: string;
}

/**
 * One child process at a time, started when it is wanted. A command line that ends it has the status
 * and the output of that end, and the next one gets a new child.
 */
export class CliSession {
  private readonly stdout = openScratch();
  private readonly stderr = openScratch();
  private readonly program: string;
  private readonly patience: number;
  private readonly folder: string;
  private child: ChildProcess | undefined;
  private isBusy = false;
  /** How the child ended when it had nothing to do. */
  private lost: string | undefined;

  constructor(options: SessionOptions = {}) {
    this.program = options.program ?? join(ROOT, 'dist/cli/program.js');
    this.patience = options.patience ?? 60_000;
    this.folder = options.folder ?? ROOT;
  }

  /**
   * Run to the end, as run() does in a process of its own.
   * @param extra environment variables of this command line
   */
  async run(args: readonly string[], extra: NodeJS.ProcessEnv = {}): Promise<Run> {
    if (this.isBusy) throw new Error('the command line before this one was not waited for');
    this.checkLost();
    this.isBusy = true;
    try {
      const child = (this.child ??= this.start());
      for (const file of [this.stdout, this.stderr]) ftruncateSync(file);
      const status = await this.execute(child, { words: args, extra });
      return { status, stdout: readAll(this.stdout), stderr: readAll(this.stderr) };
    } finally {
      this.isBusy = false;
    }
  }

  /** End the child: nothing will be run any more. */
  close(): void {
    this.child?.kill('SIGKILL');
    for (const file of [this.stdout, this.stderr]) closeSync(file);
    this.checkLost();
  }

  /** Files take the output: all of it is there when the status is, and also when the child crashes. */
  private start(): ChildProcess {
    const child = fork(CHILD, [this.program], {
      cwd: this.folder,
      env: environment({}),
      execArgv: [],
      stdio: ['ignore', this.stdout, this.stderr, 'ipc'],
    });
    child.once('exit', (code, signal) => {
      this.child = undefined;
      if (!this.isBusy) this.lost = signal ?? `status ${code ?? '?'}`;
    });
    return child;
  }

  /** @returns the status that the child answers, or ends with */
  private async execute(
    child: ChildProcess,
    line: { readonly words: readonly string[]; readonly extra: NodeJS.ProcessEnv },
  ): Promise<number | null> {
    const over = new AbortController();
    const patience = setTimeout(() => child.kill('SIGKILL'), this.patience);
    try {
      child.send(line);
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

/** A file that has no name any more, so that it goes when the last process that has it open does. */
function openScratch(): number {
  const folder = scratchFolder();
  try {
    return openSync(join(folder.path, 'output'), 'a+');
  } finally {
    folder.remove();
  }
}

function readAll(file: number): string {
  const bytes = Buffer.alloc(fstatSync(file).size);
  for (let at = 0; at < bytes.length; at += readSync(file, bytes, at, bytes.length - at, at));
  return bytes.toString('utf8');
}
