/** A reader's shell: in a folder that looks like a clone, with what the documents expect beside it. */
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { environment, MAIN, ROOT, type Run } from '../cli/run-cli.js';

const SHARED = join(ROOT, '../shared');
const KERNEL = join(SHARED, 'kernels/vmlinux-7.3-rc7-leaf.gz');
/** What a command may name that is not in a clone: from where it is. */
const OUTSIDE = new Map([
  ['vmlinux', KERNEL],
  ['ktap-logs', join(SHARED, 'reference/kunit')],
]);
/** Of the clone: what commands read, and what npm needs. */
const OF_CLONE = ['dist', 'kernel-model', 'node_modules', 'package.json', 'scenarios'];
/** Commands that have worker processes. */
const HAVE_WORKERS = /^(sweep|kunit|sframe verify)\b/;

/** The words of a simple command line; single quotes keep a word together. */
function words(command: string): string[] {
  return [...command.matchAll(/'([^']*)'|(\S+)/g)].map(
    ([, quoted, plain]) => quoted ?? plain ?? '',
  );
}

/** What a command needs from beside the repository that is not there; undefined when nothing is missing. */
export function missing(command: string, setup: string): string | undefined {
  for (const [name, source] of OUTSIDE) {
    if (words(command).includes(name) && !existsSync(source))
      return source.slice(SHARED.length - 6);
  }
  const used = setup.split('\n').find((line) => command.includes(`$${line.replace(/=.*/, '')}`));
  const path = used?.replace(/^\w+=/, '');
  return path === undefined || existsSync(join(ROOT, path)) ? undefined : path.slice(3);
}

/** The arguments of a command of ours for one process: workers take most of a small sweep's time. */
export function withoutWorkers(command: string): string[] {
  const [npx, program, ...args] = words(command);
  if (npx !== 'npx' || program !== 'kunwind-lab') throw new Error(`not ours: ${command}`);
  return HAVE_WORKERS.test(args.join(' ')) ? [...args, '--jobs', '1'] : args;
}

/** The folder and its shell. */
export class Reader {
  /** Where commands are run. */
  readonly clone: string;
  private readonly root = mkdtempSync(join(tmpdir(), 'kunwind-reader-'));
  private readonly programs = join(this.root, 'bin');

  constructor() {
    this.clone = join(this.root, 'clone');
    for (const folder of [this.clone, this.programs]) mkdirSync(folder);
    for (const name of OF_CLONE) symlinkSync(join(ROOT, name), join(this.clone, name));
    if (existsSync(SHARED)) symlinkSync(SHARED, join(this.root, 'shared'));
    for (const [name, source] of OUTSIDE) {
      const path = join(this.clone, name);
      if (!existsSync(source)) continue;
      if (source.endsWith('.gz')) writeFileSync(path, gunzipSync(readFileSync(source)));
      else symlinkSync(source, path);
    }
    // npx itself takes longer than many a command.
    const npx = `#!/bin/sh\n[ "$1" = kunwind-lab ] || exit 127\nshift\nexec "$NODE" "$MAIN" "$@"\n`;
    writeFileSync(join(this.programs, 'npx'), npx, { mode: 0o755 });
  }

  /** Run a command as the shell does. */
  async run(command: string, setup = ''): Promise<Run> {
    const child = spawn('bash', ['-c', `${setup}${command}`], {
      cwd: this.clone,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: environment({
        PATH: `${this.programs}${delimiter}${process.env['PATH'] ?? ''}`,
        NODE: process.execPath,
        MAIN,
        npm_config_loglevel: 'silent',
      }),
    });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => (output[name] += text));
    }
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (status) => {
        resolve({ status, ...output });
      });
    });
  }

  /** Remove the folder. */
  remove(): void {
    rmSync(this.root, { recursive: true });
  }
}
