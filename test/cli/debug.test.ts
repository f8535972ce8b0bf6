/** `kunwind-lab debug` as a user runs it: --print, --trace, and what is refused. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { debugPrint } from './debug-print.js';
import { scratchFolder } from './run-cli.js';
import { runShared } from './shared-session.js';

const folder = scratchFolder();
afterAll(() => {
  folder.remove();
});

const print = (...args: string[]): Promise<string> => debugPrint(runShared, ...args);

describe('debug --print', () => {
  it('shows a point in 80 columns without colour', async () => {
    const text = await print('calls/pac', '--at', '9:irq', '--policy', 'sframe-v6');
    const lines = text.split('\n');
    expect(lines.slice(0, 2)).toEqual([
      'calls/pac 9, position 34',
      'at pac_frame_a+0x4/0x20: stp x29, x30, [sp, #-0x20]!',
    ]);
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(text).not.toContain('\u001b');
    expect(text).toMatch(
      /^=> \+0x4 +stp x29, x30, \[sp, #-0x20\]! +CFA=SP\+0 FP=u RA=u \[mangled\]$/m,
    );
    expect(text).toMatch(/^ {3}\+0x8 +mov x29, sp +CFA=SP\+32 FP=c-32 RA=c-24 \[mangled\]$/m);
    expect(text).toMatch(/^ {2}\w+ \| \w{16} {2}pt_regs\.pc {2}pac_frame_a\+0x4\/0x20$/m);
    expect(text).toMatch(/metadata PT_REGS\n/);
    expect(text).toMatch(/metadata FINAL\n/);
    expect(text).toMatch(/<- interrupted SP/);
    // The instruction before was paciasp: it signed x30.
    expect(text).toMatch(/\*x30 /);
    expect(text).toContain('sframe-v6, reliable, asked by irq: unreliable\n');
  });

  it('says what each step read and where a walk went wrong', async () => {
    const text = await print('fgraph/leaf', '--at', '0:irq', '--policy', 'sframe-strict');
    expect(text).toMatch(
      /by metadata record, pt_regs\n +pt_regs\.pc = \w{16} at 0x\w+ on the task stack/,
    );
    const sdei = await print('leaf/strlen-nocfi', '--at', '70:sdei', '--policy', 'sframe-strict');
    expect(sdei).toContain('sframe-strict, reliable, asked by sdei: missing');
    expect(sdei).toMatch(/^!> .* - absent$/m);
    expect(sdei).toMatch(/is absent; the walk went on to\s+\S+ by frame record/);
  });

  it('stands inside the handling of an exception at a point of depth 2', async () => {
    const text = await print('leaf/strlen', '--at', '70:irq/20:sdei');
    expect(text).toMatch(/^leaf\/strlen 70:irq\/20, position \d+\n/);
    expect(text).toContain('asked by sdei');
  });

  it('opens a case of the stacktrace tests', async () => {
    const text = await print('kunit:fgraph_exit_unwind_reliable', '--policy', 'fgraph-detect');
    expect(text).toMatch(/^kunit\/fgraph-exit-unwind-reliable 0, position \d+\n/);
    expect(text).toContain('test_fgraph_exit_unwind_reliable+0x0');
  });

  it('opens a function of an image', async () => {
    const image = ['--image', 'scenarios/leaf/leaf.elf', '--function', 'leaf_strlen'];
    const text = await print(...image, '--args', 'str:hello', '--at', '2:nmi');
    expect(text).toContain('scenarios/leaf/leaf.elf:leaf_strlen 2, position');
  });
});

describe('debug --trace', () => {
  it('records every stop as JSON lines', async () => {
    const path = join(folder.path, 'run.jsonl');
    const args = ['calls/pac', '--kind', 'sdei', '--policy', 'sframe-strict,frame-pointer'];
    const { status, stderr } = await runShared(['debug', ...args, '--trace', path]);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    const [head, ...stops] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(head).toEqual({
      format: 'kunwind-trace',
      version: 1,
      scenario: 'calls/pac',
      kind: 'sdei',
      mode: 'reliable',
      policies: ['frame-pointer', 'sframe-strict'],
    });
    expect(stops.pop()).toEqual({ end: 'end', detail: '' });
    const first = Number(stops[0]?.['position']);
    expect(stops.map(({ position }) => position)).toEqual(stops.map((_, i) => first + i));
    expect(stops[1]).toMatchObject({
      index: 1,
      place: '1',
      symbol: expect.stringMatching(/^pac_entry\+0x4\//) as unknown,
      verdicts: { 'sframe-strict': expect.any(String) as unknown },
    });
    const signing = stops.findIndex(({ instruction }) => instruction === 'paciasp');
    expect(stops[signing + 1]?.['changed']).toEqual({
      x30: expect.stringMatching(/^0x[0-9a-f]{16}$/) as unknown,
    });
    const verdicts = stops.map((stop) => JSON.stringify(stop['verdicts']));
    expect(new Set(verdicts).size).toBeGreaterThan(1);
  });
});

describe('debug refuses', () => {
  mkdirSync(join(folder.path, 'directory'));
  const lines: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['nothing', ['--print'], /debug needs a scenario, kunit:CASE, or --image or --kernel FILE/],
    ['an unknown scenario', ['calls/pacc', '--print'], /no scenario 'calls\/pacc'; did you mean/],
    ['a family', ['calls', '--print'], /debug needs exactly one scenario, \d+ match 'calls'/],
    ['an unknown case', ['kunit:test_nounwindd', '--print'], /no case 'test_nounwindd'; did you/],
    ['a parameter of no case', ['kunit:nounwind+4', '--print'], /has no such parameter/],
    [
      'an offset behind the function',
      ['kunit:async_unwind_reliable+0x800', '--print'],
      /no kprobe at \S+: not in callee_nop_caller/,
    ],
    ['an unknown policy', ['calls/pac', '--policy', 'x', '--print'], /unknown policy 'x'; there/],
    ['two policies', ['calls/pac', '--policy', 'sframe-v5,sframe-v6', '--print'], /one policy is/],
    ['an unknown kind', ['calls/pac', '--kind', 'fiq', '--print'], /unknown kind 'fiq'; there/],
    [
      'no point',
      ['calls/pac', '--at', '9:fiq', '--print'],
      /--at '9:fiq' is not INDEX, INDEX:KIND/,
    ],
    [
      'a point and a kind',
      ['calls/pac', '--at', '9:irq', '--kind', 'nmi', '--print'],
      /drop --kind/,
    ],
    [
      'a point past the end',
      ['calls/pac', '--at', '999', '--print'],
      /executes \d+ instructions: there is no instruction 999/,
    ],
    [
      'an inner point past the end',
      ['leaf/strlen', '--at', '1:irq/99999:nmi', '--print'],
      /returns after \d+ instructions: there is no inner 99999/,
    ],
    [
      'a kind that is impossible',
      ['leaf/strlen', '--at', '1:irq/5:irq', '--print'],
      /no irq is possible at that inner/,
    ],
    ['a budget too small', ['calls/pac', '--budget', '20', '--print'], /20 steps were made/],
    [
      'an unwritable trace',
      ['calls/pac', '--trace', join(folder.path, 'none/x')],
      /cannot write the report .*none\/x: no such directory/,
    ],
    [
      'a directory as trace',
      ['calls/pac', '--trace', join(folder.path, 'directory')],
      /cannot write the report .*directory: it is a directory/,
    ],
    ['no terminal', ['calls/pac'], /needs a terminal: use --print, --trace FILE or --gdb PORT/],
  ];
  it.each(lines)('%s, in one line', async (_, args, message) => {
    const { status, stdout, stderr } = await runShared(['debug', ...args]);
    expect(stdout).toBe('');
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^kunwind-lab: [^\n]*\n$/);
    expect(status).toBe(2);
  });
});
