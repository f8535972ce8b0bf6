import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseSuiteLogs } from '../../kunit/reliable-stacktrace-log.js';
import { PACKAGE_ROOT } from '../../base/package-path.js';
import { EXHAUSTIVE } from '../exhaustive.js';
import { runShared, runWithOneJob } from './shared-session.js';
import { REFERENCE_POLICIES, referenceFolder, referenceText } from '../kunit/reference-logs.js';

const PROGRAM = join(PACKAGE_ROOT, 'dist/cli/main.js');

interface Ran {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

async function kunit(...args: readonly string[]): Promise<Ran> {
  const run = args.includes('--jobs') ? runShared : runWithOneJob;
  const { status, stdout, stderr } = await run(['kunit', ...args]);
  return { status, out: stdout, err: stderr };
}

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kunit-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('kunit', () => {
  test('prints one document, a suite for each policy, and fails with its cases', async () => {
    const { status, out, err } = await kunit('--jobs', '2');
    expect(err).toMatch(/^running 22 cases under 6 policies\n( *\d+%\n)+$/);
    expect(status).toBe(1);
    const read = parseSuiteLogs(out);
    expect(read.ok && read.value.map(({ policy, ok }) => [policy, ok])).toEqual([
      ['frame-pointer', false],
      ['sframe-v5', false],
      ['sframe-v6', false],
      ['sframe-strict', false],
      ['fgraph-detect', true],
      ['fgraph-recover', true],
    ]);
  });

  test('prints the same whatever the number of workers is', async () => {
    const args = EXHAUSTIVE ? [] : ['--case', '*with_ftrace*'];
    const two = await kunit(...args, '--jobs', '2');
    expect(two.out).not.toBe('');
    expect(await kunit(...args, '--jobs', '1')).toEqual(two);
  });

  test('under one policy it prints what a kernel prints, and the policy', async () => {
    const { status, out } = await kunit('--policy', 'fgraph-detect', '--case', 'nounwind,*async*');
    expect(status).toBe(0);
    const lines = out.split('\n');
    expect(lines.slice(0, 8)).toEqual([
      'KTAP version 1',
      '1..1',
      '    KTAP version 1',
      '    # Subtest: reliable_stacktrace',
      '    # module: stacktrace_kunit',
      '    # policy: fgraph-detect',
      '    1..3',
      '    ok 1 test_nounwind',
    ]);
    expect(lines.slice(8, 12)).toEqual([
      '        KTAP version 1',
      '        # Subtest: test_async_unwind_reliable',
      '    # test_async_unwind_reliable: hit kprobe at callee_nop_caller+0x0/0x30',
      '    # test_async_unwind_reliable: stacktrace hit: YES, length: 17',
    ]);
    expect(lines.at(-2)).toBe('ok 1 reliable_stacktrace');
  });

  test('prints a matrix', async () => {
    const { status, out } = await kunit('--matrix', '--case', 'fgraph_exit*');
    expect(status).toBe(1);
    const [head, row, end] = out.split('\n');
    expect(head).toMatch(
      /^case +frame-pointer +sframe-v5 +sframe-v6 +sframe-strict +fgraph-detect/,
    );
    expect(row).toMatch(/^test_fgraph_exit_unwind_reliable( +FAIL misses caller_1){4} +\w+/);
    expect(end).toBe('');
  });

  test('writes JUnit XML', async () => {
    const file = join(folder, 'junit.xml');
    const { status } = await kunit(
      '--junit',
      file,
      '--policy',
      'sframe-strict',
      '--case',
      '*exit*',
    );
    expect(status).toBe(1);
    const text = readFileSync(file, 'utf8');
    expect(text).toContain(
      '<testsuite name="reliable_stacktrace.sframe-strict" tests="1" failures="1"',
    );
    expect(text).toContain('<failure message="Stacktrace misses caller_1">');
    expect(readdirSync(folder)).toEqual(['junit.xml']);
  });

  test('a stack that begins lower decides about v6', async () => {
    const args = ['--policy', 'sframe-v6', '--case', 'kprobe_unwind_reliable'];
    expect((await kunit(...args)).out).toContain('marked unreliable: -22');
    expect((await kunit(...args, '--stack-shift', '16')).out).not.toContain('marked unreliable');
  });
});

describe('kunit refuses', () => {
  test.each([
    [['--case', 'nope'], /no case 'nope'/],
    [['--case', 'test_nounwnd'], /no case 'test_nounwnd'; did you mean test_nounwind\b/],
    [['--policy', 'sframe'], /unknown policy 'sframe'; there are frame-pointer, /],
    [['--compare', '/nowhere'], /\/nowhere: no such folder/],
    [['--compare', PROGRAM], /: not a folder/],
    [['--compare', join(PROGRAM, 'x')], /: no such folder/],
    [['--compare', 'x'.repeat(300)], /x: no such folder/],
    [['--compare', ''], /--compare needs a value/],
    [['--compare', 'a', '--compare', 'b'], /--compare is given 2 times/],
    [['--junit', '/nowhere/x.xml'], /cannot write the report \/nowhere\/x\.xml: no such directory/],
    [['--jobs', '0'], /--jobs must be a positive integer, not '0'/],
    [['--stack-shift', '8'], /--stack-shift must be a multiple of 16 up to 4096, not '8'/],
    [['--frobnicate'], /unknown option --frobnicate/],
    [['extra'], /unknown/],
  ])('%j', async (args, message) => {
    const { status, out, err } = await kunit(...args);
    expect(status).toBe(2);
    expect(out).toBe('');
    expect(err).toMatch(/^kunwind-lab: [^\n]*\n$/);
    expect(err).toMatch(message);
  });

  test.skipIf(referenceFolder === undefined)('logs that are cut, foreign or empty', async () => {
    const junit = join(folder, 'never.xml');
    const text = referenceText('sframe-v5');
    const logs: [string, RegExp][] = [
      [
        text.slice(0, 9000),
        /sframe-v5\.ktap:\d+: truncated: \d+ of 22 results of reliable_stacktrace/,
      ],
      [
        text.replaceAll('reliable_stacktrace', 'list_sort'),
        /:1: a log of list_sort, not of reliable_stacktrace/,
      ],
      ['', /sframe-v5\.ktap:1: no KTAP/],
    ];
    for (const [log, message] of logs) {
      writeFileSync(join(folder, 'sframe-v5.ktap'), log);
      const { status, out, err } = await kunit('--compare', folder, '--junit', junit);
      expect(status).toBe(2);
      expect(out).toBe('');
      expect(err).toMatch(message);
      expect(err.trimEnd()).not.toContain('\n');
      expect(existsSync(junit)).toBe(false);
    }
  });
});

describe('kunit refuses a log', () => {
  test('that is no file: a folder, a device without an end', async () => {
    const logs = mkdtempSync(join(folder, 'no-files-'));
    mkdirSync(join(logs, 'sframe-v5.ktap'));
    symlinkSync('/dev/zero', join(logs, 'sframe-v6.ktap'));
    for (const policy of ['sframe-v5', 'sframe-v6']) {
      const { status, out, err } = await kunit('--compare', logs, '--policy', policy);
      expect({ status, out }).toEqual({ status: 2, out: '' });
      expect(err).toMatch(/^kunwind-lab: [^\n]*\.ktap: not a regular file\n$/);
    }
  });

  test('that is no log by its size', async () => {
    const logs = mkdtempSync(join(folder, 'large-'));
    writeFileSync(join(logs, 'sframe-v5.ktap'), '');
    truncateSync(join(logs, 'sframe-v5.ktap'), 2 ** 28 + 1);
    const { status, out, err } = await kunit('--compare', logs, '--policy', 'sframe-v5');
    expect({ status, out }).toEqual({ status: 2, out: '' });
    expect(err).toMatch(/ktap: 268435457 bytes; a log has at most 268435456\n$/);
  });
});

describe.skipIf(referenceFolder === undefined)('kunit --compare', () => {
  test('agrees with a real kernel', async () => {
    // Without the workers and the command line, all of them are compared in test/kunit/runner.test.ts.
    const [known, unknown] = EXHAUSTIVE
      ? [REFERENCE_POLICIES, ['fgraph-detect', 'fgraph-recover']]
      : [['sframe-v6'], ['fgraph-detect']];
    const policies = [...known, ...unknown].join(',');
    const args = ['--compare', referenceFolder ?? '', '--policy', policies];
    const { status, out, err } = await kunit(...args);
    expect(out.replace(/^\d+ /, '')).toBe(
      `results under ${known.join(', ')}: same as the reference\n`,
    );
    expect(err).toMatch(/not compared, no reference log: [a-z, -]+\n$/);
    expect(err).toContain(`: ${unknown.join(', ')}\n`);
    expect(status).toBe(0);
  });

  test('prints what differs', async () => {
    const planted = mkdtempSync(join(folder, 'planted-'));
    for (const policy of REFERENCE_POLICIES) {
      const text = referenceText(policy).replace('4 => caller_3+', '4 => caller_9+');
      writeFileSync(join(planted, `${policy}.ktap`), text);
    }
    const { status, out } = await kunit(
      '--compare',
      planted,
      '--policy',
      'sframe-v6,frame-pointer',
    );
    const lines = out.trimEnd().split('\n');
    expect(status).toBe(1);
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(
      /^frame-pointer: test_unwind_reliable: functions: reference .*caller_9/,
    );
    expect(lines[2]).toMatch(/^\d+ results under frame-pointer, sframe-v6: 2 differences$/);
  });
});
