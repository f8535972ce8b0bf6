/** Every command that the README shows is run here, or by CI where it is a whole run of its own. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');
const KERNEL = join(ROOT, '../shared/kernels/vmlinux-7.3-rc7-leaf.gz');
const LOGS = join(ROOT, '../shared/reference/kunit');
/** What a command needs from beside the repository. */
const OUTSIDE = new Map([
  ['vmlinux', KERNEL],
  ['ktap-logs', LOGS],
]);
/** Commands that .ci/run executes by themselves. */
const RUN_BY_CI = ['npm ci && npm start', 'npm ci && npm test'];

const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const commands = [...README.matchAll(/```sh\n(.*?)```/gs)]
  .flatMap(([, block]) => (block ?? '').split('\n'))
  .map((line) => line.replace(/\s+#.*$/, '').trim())
  .filter((line) => line !== '');

/** The words of a command line; single quotes keep a word together. */
function words(command: string): string[] {
  return [...command.matchAll(/'([^']*)'|(\S+)/g)].map(
    ([, quoted, plain]) => quoted ?? plain ?? '',
  );
}

describe('README', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'kunwind-readme-'));
    for (const name of ['scenarios', 'kernel-model', 'package.json'])
      symlinkSync(join(ROOT, name), join(folder, name));
    for (const [name, target] of OUTSIDE) {
      if (existsSync(target)) symlinkSync(target, join(folder, name));
    }
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('shows commands', () => {
    expect(commands.length).toBeGreaterThan(8);
  });

  for (const command of commands) {
    if (RUN_BY_CI.includes(command)) {
      it(`${command} is run by CI`, () => {
        const ci = readFileSync(join(ROOT, '.ci/run'), 'utf8');
        for (const part of command.split(' && ')) expect(ci).toContain(part);
      });
      continue;
    }
    const absent = words(command).some((word) => !existsSync(OUTSIDE.get(word) ?? ROOT));
    const title = absent ? `${command} (skipped: needs ../shared)` : command;
    it.skipIf(absent)(title, () => {
      const [npx, program, ...args] = words(command);
      expect([npx, program]).toEqual(['npx', 'kunwind-lab']);
      const run = spawnSync(process.execPath, [join(ROOT, 'dist/cli/main.js'), ...args], {
        cwd: folder,
        encoding: 'utf8',
        maxBuffer: 1 << 28,
      });
      expect(run.stderr).not.toContain('    at ');
      expect(run.status, run.stderr + run.stdout.slice(-2000)).toBe(0);
    });
  }

  it('links to files that are there', () => {
    const links = [...README.matchAll(/\]\((?!https?:)([^)]+)\)/g)].map(
      ([, target]) => target ?? '',
    );
    for (const target of links) expect(existsSync(join(ROOT, target)), target).toBe(true);
  });
});
