/** `kunwind-lab debug --kernel`: a function of a real kernel, which runs by itself. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { SweepReport } from '../../sweep/report.js';
import { ROOT, run, scratchFolder } from './run-cli.js';

const folder = scratchFolder();
afterAll(() => {
  folder.remove();
});

/** Kernel-like: its vectors and entry code are laid out as Linux's are. */
const GUEST = ['--kernel', 'kernel-model/guest/vmlinux', '--function', 'unregister_kprobe'];
const LEAF_KERNEL = join(ROOT, '../shared/kernels/vmlinux-7.3-rc7-leaf.gz');

function print(...args: string[]): string {
  const { status, stdout, stderr } = run(['debug', ...args, '--print']);
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout;
}

describe('debug --kernel', () => {
  it('shows the walk of the model and asks the kernel what it says itself', () => {
    const text = print(...GUEST, '--at', '3:irq', '--policy', 'sframe-strict');
    expect(text).toMatch(/^kernel-model\/guest\/vmlinux:unregister_kprobe 3, position \d+\n/);
    expect(text).toMatch(/^sframe-strict, reliable, asked by irq: exact$/m);
    expect(text).toContain("the kernel's own unwinder: the same answer\n");
    // The caller is the stub's thread, not a scenario's.
    expect(text).toMatch(/^ {3}stub_thread\+\S+ +stub_thread\+/m);
  });

  it('stands inside the entry code of the kernel', () => {
    const text = print(...GUEST, '--at', '3:irq/60:serror');
    expect(text).toMatch(/ 3:irq\/60, position \d+\n/);
    expect(text).toContain('asked by serror');
  });

  it('records every stop', () => {
    const path = join(folder.path, 'run.jsonl');
    const { status, stderr } = run(['debug', ...GUEST, '--trace', path]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    expect(lines.at(-1)).toBe('{"end":"end","detail":""}');
    expect(lines.filter((line) => line.includes('"sframe-strict":"exact"'))).not.toEqual([]);
  });

  mkdirSync(join(folder.path, 'directory'));
  it.each([
    [['--kernel', 'x'], /--kernel needs --function/],
    [['calls/pac', ...GUEST], /--kernel and the scenario 'calls\/pac' exclude each other/],
    [[...GUEST, '--image', 'x'], /--kernel and --image exclude each other/],
    [['--kernel', 'x', '--function', 'un*'], /'un\*': debug needs exactly one function/],
    [['--kernel', 'x', '--function', 'a,b'], /'a,b': debug needs exactly one function/],
    [['--kernel', 'no/such', '--function', 'a'], /no\/such: cannot read the file/],
    [['calls/pac', '--offsets', 'x'], /--offsets needs --kernel/],
    [[...GUEST, '--kind', 'sdei'], /--kind sdei: .*not delivered to a real kernel/],
    [[...GUEST, '--at', '1:irq/2:sdei'], /--at sdei: .*not delivered to a real kernel/],
    [[...GUEST, '--at', '999'], /executes \d+ instructions: there is no number 999/],
    [['kunit:nounwind', '--args', '1'], /kunit:nounwind and --args exclude each other/],
  ])('%j is refused in one line', (args, message) => {
    const { status, stdout, stderr } = run(['debug', ...args, '--print']);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^kunwind-lab: [^\n]*\n$/);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  });
});

describe.skipIf(!existsSync(LEAF_KERNEL))('a finding in a kernel that was built', () => {
  it('is opened at its point by its own command, with the same truth and trace', () => {
    const path = join(folder.path, 'report.json');
    const call = ['--kernel', LEAF_KERNEL, '--function', 'fgraph:int_sqrt', '--args', '1000'];
    const which = ['--policy', 'sframe-strict', '--kind', 'irq'];
    run(['sweep', ...call, ...which, '--json', path, '--no-progress']);
    const { scenarios } = JSON.parse(readFileSync(path, 'utf8')) as SweepReport;
    const finding = scenarios[0]?.findings.find(({ fn }) => fn === 'ftrace_return_to_handler');
    const words = finding?.replay.split(' ') ?? [];
    expect(words.slice(0, 3)).toEqual(['npx', 'kunwind-lab', 'debug']);
    const text = print(...words.slice(3));
    expect(text).toContain(`\nat ${finding?.example.at ?? ''}: `);
    expect(text).toMatch(/^sframe-strict, reliable, asked by irq: missing$/m);
    expect(text).toContain("the kernel's own unwinder: the same answer\n");
    const walk = text.slice(text.indexOf('-- walk --'));
    const named = (side: RegExp): string[] =>
      [...walk.matchAll(side)].map(([, name = '']) => name.replace(/[()]/g, ''));
    const bare = (names: readonly string[] = []): string[] =>
      names.map((name) => name.replace(/[()]/g, ''));
    expect(named(/^(?: {3}|!.. ?)(\(?\w+\+0x\S+)/gm)).toEqual(bare(finding?.example.truth));
    expect(named(/^(?: {3}|!.. ?)\(?\w+\+0x\S+ +(\(?\w+\+0x\S+)$/gm)).toEqual(
      bare(finding?.example.trace),
    );
  });

  it('is judged at every instruction as the sweep judges it there', () => {
    const report = join(folder.path, 'counts.json');
    const trace = join(folder.path, 'counts.jsonl');
    const call = ['--kernel', LEAF_KERNEL, '--function', 'fgraph:int_sqrt', '--args', '1000'];
    const policies = ['sframe-v5', 'sframe-v6', 'sframe-strict'] as const;
    const which = ['--policy', policies.join(','), '--kind', 'serror'];
    run(['sweep', ...call, ...which, '--json', report, '--no-progress']);
    expect(run(['debug', ...call, ...which, '--trace', trace]).status).toBe(0);
    const stops = readFileSync(trace, 'utf8')
      .trimEnd()
      .split('\n')
      .map(
        (line) => JSON.parse(line) as { index?: number; verdicts?: Record<string, string> | null },
      )
      .filter(({ index, verdicts }) => typeof index === 'number' && verdicts !== null);
    const [scenario] = (JSON.parse(readFileSync(report, 'utf8')) as SweepReport).scenarios;
    for (const policy of policies) {
      const counts = Object.entries(scenario?.policies[policy] ?? {});
      expect(counts).toHaveLength(7);
      const seen = stops.map(({ verdicts }) => verdicts?.[policy]);
      const count = (verdict: string): number => seen.filter((one) => one === verdict).length;
      for (const [verdict, times] of counts) {
        expect({ policy, verdict, times: count(verdict) }).toEqual({ policy, verdict, times });
      }
    }
    expect(stops.length).toBeGreaterThan(500);
  });
});
