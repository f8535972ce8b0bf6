/**
 * Every command that the README shows is run here, or by CI where it is a whole run of its own: in one
 * process and without workers, which is most of the time; the exhaustive run executes each as a reader
 * does.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CliSession } from './cli/cli-session.js';
import { ROOT, type Run, run } from './cli/run-cli.js';
import { EXHAUSTIVE } from './exhaustive.js';

const KERNEL = join(ROOT, '../shared/kernels/vmlinux-7.3-rc7-leaf.gz');
const LOGS = join(ROOT, '../shared/reference/kunit');
/** What a command needs from beside the repository. */
const OUTSIDE = new Map([
  ['vmlinux', KERNEL],
  ['ktap-logs', LOGS],
]);
/** Commands that have worker processes, one for each core unless they are told otherwise. */
const HAVE_WORKERS = /^(sweep|kunit|sframe verify)\b/;
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
  let session: CliSession;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'kunwind-readme-'));
    for (const name of ['scenarios', 'kernel-model', 'package.json'])
      symlinkSync(join(ROOT, name), join(folder, name));
    for (const [name, target] of OUTSIDE) {
      if (existsSync(target)) symlinkSync(target, join(folder, name));
    }
    session = new CliSession({ folder });
  });
  afterAll(() => {
    session.close();
    rmSync(folder, { recursive: true });
  });

  function execute(args: readonly string[]): Run | Promise<Run> {
    if (EXHAUSTIVE) return run(args, {}, folder);
    return session.run(HAVE_WORKERS.test(args.join(' ')) ? [...args, '--jobs', '1'] : args);
  }

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
    it.skipIf(absent)(title, async () => {
      const [npx, program, ...args] = words(command);
      expect([npx, program]).toEqual(['npx', 'kunwind-lab']);
      const { status, stdout, stderr } = await execute(args);
      expect(stderr).not.toContain('    at ');
      expect(status, stderr + stdout.slice(-2000)).toBe(0);
    });
  }

  it('links to files that are there', () => {
    const links = [...README.matchAll(/\]\((?!https?:)([^)]+)\)/g)].map(
      ([, target]) => target ?? '',
    );
    for (const target of links) expect(existsSync(join(ROOT, target)), target).toBe(true);
  });
});
