/** Where a report is written: `-`, links, what standard output is already. */
import {
  closeSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
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

describe('a report that would take the place of what is read', () => {
  const input = (name: string): string => {
    const path = join(folder.path, name);
    copyFileSync('scenarios/leaf/leaf.elf', path);
    return path;
  };
  it.each([
    ['sweep --json', ['sweep', '--function', 'leaf_strlen'], '--image', '--json'],
    ['debug --trace', ['debug', '--function', 'leaf_strlen'], '--image', '--trace'],
  ])('%s is refused, also through a link', async (name, args, option, output) => {
    const path = input(`${name.replaceAll(' ', '-')}.elf`);
    const link = `${path}.link`;
    symlinkSync(path, link);
    const { status, stderr } = await runShared([...args, option, path, output, link]);
    expect(stderr).toBe(`kunwind-lab: ${output} would overwrite ${path}, which is read\n`);
    expect(status).toBe(2);
    expect(readFileSync(path)).toEqual(readFileSync('scenarios/leaf/leaf.elf'));
  });

  it('kunit --junit over a log that is compared with', async () => {
    const log = join(folder.path, 'sframe-v5.ktap');
    const args = ['kunit', '--case', 'nounwind', '--policy', 'sframe-v5', '--jobs', '1'];
    writeFileSync(log, (await runShared(args)).stdout);
    const { status, stderr } = await runShared([...args, '--compare', folder.path, '--junit', log]);
    expect(stderr).toBe(`kunwind-lab: --junit would overwrite ${log}, which is read\n`);
    expect(status).toBe(2);
  });
});

describe('what is no file', () => {
  it.each([
    ['sweep', SWEEP, '--json'],
    ['sframe verify', VERIFY, '--json'],
    ['debug', ['debug', 'calls/pac', '--policy', 'sframe-strict'], '--trace'],
  ])('%s %s does not wait for somebody to read a FIFO', async (name, args, option) => {
    const fifo = join(folder.path, `unread-${name.replaceAll(' ', '-')}`);
    execFileSync('mkfifo', [fifo]);
    const { status, stdout, stderr } = await runShared([...args, option, fifo]);
    expect(stderr).toBe(`kunwind-lab: cannot write the report ${fifo}: nobody reads this FIFO\n`);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  });

  it('a FIFO that somebody reads has the whole report', async () => {
    const fifo = join(folder.path, 'read');
    execFileSync('mkfifo', [fifo]);
    const reader = promisify(execFile)('cat', [fifo], { maxBuffer: 1 << 28 });
    // Fails with another exit status than 0.
    await promisify(execFile)(process.execPath, [MAIN, ...VERIFY, '--json', fifo], { cwd: ROOT });
    const { stdout } = await reader;
    expect(JSON.parse(stdout)).toMatchObject({ functions: { wrong: 0 } });
  });

  it.each([
    ['sweep', SWEEP, '--json', /all as promised\n$/],
    ['sframe verify', VERIFY, '--sarif', /0 wrong, /],
    [
      'kunit',
      ['kunit', '--case', 'nounwind', '--policy', 'sframe-v5', '--jobs', '1'],
      '--junit',
      /^KTAP version 1\n/,
    ],
  ])('%s on a full disk still says what was found', async (_, args, option, found) => {
    const { status, stdout, stderr } = await runShared([...args, option, '/dev/full']);
    expect(stdout).toMatch(found);
    expect(stderr).toMatch(/^kunwind-lab: cannot write the report \/dev\/full: no space left\n$/m);
    expect(status).toBe(2);
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
  // The parser knows these, and the command does not: they would be ignored.
  ['sweep x --min-Coverage=50', /^kunwind-lab: unknown option --min-Coverage \(see --help\)\n$/],
  ['sweep x --min--coverage=5', /^kunwind-lab: unknown option --min--coverage \(see --help\)\n$/],
  ['sweep leaf --scenario=calls', /^kunwind-lab: unknown option --scenario \(see --help\)\n$/],
  ['sweep leaf/strlen --_=calls', /^kunwind-lab: unknown option --_ \(see --help\)\n$/],
  ['sframe verify x --json.a=1', /^kunwind-lab: unknown option --json\.a \(see --help\)\n$/],
  ['list --family.x leaf', /^kunwind-lab: unknown option --family\.x \(see --help\)\n$/],
  // Names behind -- are names: without them, everything would be meant.
  ['list -- x', /^kunwind-lab: unexpected argument 'x' \(see --help\)\n$/],
  ['sweep -- nosuch', /^kunwind-lab: no scenario 'nosuch'; /],
  ['-- sweep nosuch', /^kunwind-lab: no scenario 'nosuch'; /],
  ['sweep -- --json', /^kunwind-lab: nothing is named '--json', and no option follows --\n$/],
  ['sframe dump x y', /^kunwind-lab: unexpected argument 'y' \(see --help\)\n$/],
  ['sframe dmp x', /^kunwind-lab: unknown command 'dmp'; did you mean dump\?\n$/],
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
