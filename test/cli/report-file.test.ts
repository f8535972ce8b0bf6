/** Where a report is written: `-`, links, what standard output is already. */
import {
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { environment, MAIN, ROOT, run, scratchFolder } from './run-cli.js';
import { runShared } from './shared-session.js';

const folder = scratchFolder();
afterAll(() => {
  folder.remove();
});

const VERIFY = ['sframe', 'verify', 'scenarios/calls/calls.elf', '--jobs', '1'];
const SWEEP = ['sweep', 'leaf/strlen', '--policy', 'sframe-strict', '--jobs', '1', '--no-progress'];

describe('- as the name of a file', () => {
  it.each([
    ['sweep --json', SWEEP, '--json', /^\{\n {2}"version": 1,/, /all as promised\n$/],
    ['sframe verify --json', VERIFY, '--json', /^\{\n {2}"file": /, /0 wrong, /],
    ['sframe verify --sarif', VERIFY, '--sarif', /"version": "2\.1\.0"/, /0 wrong, /],
    [
      'kunit --junit',
      ['kunit', '--case', 'nounwind', '--policy', 'sframe-v5', '--jobs', '1'],
      '--junit',
      /^<\?xml /,
      /^KTAP version 1\n/,
    ],
    [
      'debug --trace',
      ['debug', 'calls/pac', '--policy', 'sframe-strict', '--print'],
      '--trace',
      /^\{"format":"kunwind-trace"/,
      /^calls\/pac 0, position /,
    ],
  ])(
    'of %s is standard output, in either spelling; the text goes to standard error',
    async (_, args, option, report, text) => {
      const spaced = await runShared([...args, option, '-']);
      expect(spaced.stdout).toMatch(report);
      expect(spaced.stderr).toMatch(text);
      expect(spaced.status).toBe(0);
      expect(spaced.stdout).not.toMatch(text);
      const joined = await runShared([...args, `${option}=-`]);
      expect({ ...joined, stdout: joined.stdout.length > 100 }).toMatchObject({
        status: 0,
        stdout: true,
      });
      expect(readdirSync(ROOT)).not.toContain('-');
    },
  );

  it('is all that standard output has: a reader gets valid JSON', async () => {
    const { stdout } = await runShared([...SWEEP, '--json', '-']);
    expect(JSON.parse(stdout)).toMatchObject({ version: 1, unexpected: 0 });
  });

  it('is not for two reports', async () => {
    const { status, stderr } = await runShared([...VERIFY, '--json', '-', '--sarif=-']);
    expect(stderr).toBe(
      'kunwind-lab: --json and --sarif would both be written to standard output\n',
    );
    expect(status).toBe(2);
  });
});

describe('a symbolic link', () => {
  const written = async (path: string): Promise<void> => {
    const { status, stderr } = await runShared([...VERIFY, '--json', path]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  };
  /** What the folder has to end with. */
  const expectThrough = (link: string, target: string): void => {
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(lstatSync(target).isSymbolicLink()).toBe(false);
    expect(JSON.parse(readFileSync(target, 'utf8'))).toHaveProperty('rows');
  };

  it('to a file, or through another link, stays one', async () => {
    const target = join(folder.path, 'target.json');
    writeFileSync(target, 'old');
    const [first, second] = [join(folder.path, 'first'), join(folder.path, 'second')];
    symlinkSync('target.json', first);
    symlinkSync('first', second);
    await written(second);
    expectThrough(second, target);
    expect(lstatSync(first).isSymbolicLink()).toBe(true);
  });

  it('to a file that is yet to be written stays one', async () => {
    mkdirSync(join(folder.path, 'below'));
    const link = join(folder.path, 'dangling');
    symlinkSync('below/new.json', link);
    await written(link);
    expectThrough(link, join(folder.path, 'below/new.json'));
    expect(readdirSync(join(folder.path, 'below'))).toEqual(['new.json']);
  });

  it('to itself is refused in one line', async () => {
    const link = join(folder.path, 'loop');
    symlinkSync('loop', link);
    const { status, stderr } = await runShared([...VERIFY, '--json', link]);
    expect(stderr).toBe(`kunwind-lab: cannot write the report ${link}: too many symbolic links\n`);
    expect(status).toBe(2);
  });

  it('to one place from two options is seen', async () => {
    const link = join(folder.path, 'same');
    symlinkSync('report', link);
    const args = [...VERIFY, '--json', join(folder.path, 'report'), '--sarif', link];
    expect((await runShared(args)).stderr).toMatch(/would both be written to /);
  });
});

it('writes to a file that the shell has opened as standard output, and does not replace it', () => {
  const path = join(realpathSync(folder.path), 'redirected.json');
  const file = openSync(path, 'w');
  const { status, stderr } = spawnSync(
    process.execPath,
    [MAIN, ...SWEEP, '--json', '/dev/stdout'],
    { cwd: ROOT, encoding: 'utf8', env: environment({}), stdio: ['ignore', file, 'pipe'] },
  );
  closeSync(file);
  expect(status).toBe(0);
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ unexpected: 0 });
  expect(stderr).toMatch(/all as promised\n$/);
});

it.each([
  ['sweep --jobs 1 --jobs=2', /^kunwind-lab: --jobs is given 2 times\n$/],
  ['kunit --stack-shift 16 --stackShift=32', /^kunwind-lab: --stack-shift is given 2 times\n$/],
  ['sframe dump x --format json --format=text', /^kunwind-lab: --format is given 2 times\n$/],
  ['sframe coverage x --limit 1 --limit=2', /^kunwind-lab: --limit is given 2 times\n$/],
  ['sweep --so-so --soSo=1', /^kunwind-lab: unknown option --so-so \(see --help\)\n$/],
  ['sweep --no-such', /^kunwind-lab: unknown option --no-such \(see --help\)\n$/],
  ['sweep --stackShift 16', /^kunwind-lab: unknown option --stackShift \(see --help\)\n$/],
  ['sweep --no-json', /^kunwind-lab: unknown option --no-json \(see --help\)\n$/],
  ['kunit --no-policy', /^kunwind-lab: unknown option --no-policy \(see --help\)\n$/],
  ['list --brief=yes', /^kunwind-lab: --brief is on or off: it takes true or false, not 'yes'\n$/],
  ['list --color=banana', /^kunwind-lab: --color is on or off: .* not 'banana'\n$/],
  ['list --json -', /^kunwind-lab: --json is on or off: .* not '-'\n$/],
  ['debug calls/pac --print=1', /^kunwind-lab: --print is on or off: .* not '1'\n$/],
  ['--help=banana', /^kunwind-lab: --help is on or off: .* not 'banana'\n$/],
])('%s is one line, in one spelling', async (line, message) => {
  const { status, stdout, stderr } = await runShared(line.split(' '));
  expect(stderr).toMatch(message);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
});

it('an option that is on or off takes true and false', () => {
  const brief = run(['list', '--brief']).stdout;
  expect(run(['list', '--brief=true']).stdout).toBe(brief);
  expect(run(['list', '--brief=false']).stdout).not.toBe(brief);
});
