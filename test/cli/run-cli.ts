/** Runs the built command line as a user does: a child process of its own. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** What `npm run build` makes, and `npm test` runs first. */
export const MAIN = join(ROOT, 'dist/cli/main.js');

if (!existsSync(MAIN)) throw new Error(`${MAIN} is missing: run npm run build`);

/** How a run ended. */
export interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** This process's environment without what would colour the output, and then some. */
export function environment(extra: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env, ...extra };
  if (extra['FORCE_COLOR'] === undefined) delete env['FORCE_COLOR'];
  if (extra['NO_COLOR'] === undefined) delete env['NO_COLOR'];
  return env;
}

/** Run to the end, in the repository unless another folder is given. */
export function run(
  args: readonly string[],
  extra: NodeJS.ProcessEnv = {},
  folder: string = ROOT,
): Run {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: environment(extra),
    maxBuffer: 1 << 28,
  });
  return { status, stdout, stderr };
}

/** Start and let the test follow it. */
export function start(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [MAIN, ...args], { cwd: ROOT, env: environment({}) });
}

/** A folder that is removed when the test file is done. */
export function scratchFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'kunwind-cli-'));
  return {
    path,
    remove: () => {
      rmSync(path, { recursive: true });
    },
  };
}
