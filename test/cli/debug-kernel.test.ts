/** `kunwind-lab debug --kernel`: a function of a real kernel, which runs by itself. */
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

/** Kernel-like: its vectors and entry code are laid out as Linux's are. */
const GUEST = ['--kernel', 'kernel-model/guest/vmlinux', '--function', 'unregister_kprobe'];

describe('debug --kernel', () => {
  it('shows the walk of the model and asks the kernel what it says itself', async () => {
    const text = await debugPrint(
      runShared,
      ...GUEST,
      '--at',
      '3:irq',
      '--policy',
      'sframe-strict',
    );
    expect(text).toMatch(/^kernel-model\/guest\/vmlinux:unregister_kprobe 3, position \d+\n/);
    expect(text).toMatch(/^sframe-strict, reliable, asked by irq: exact$/m);
    expect(text).toContain("the kernel's own unwinder: the same answer\n");
    // The caller is the stub's thread, not a scenario's.
    expect(text).toMatch(/^ {3}stub_thread\+\S+ +stub_thread\+/m);
  });

  it('stands inside the entry code of the kernel', async () => {
    const text = await debugPrint(runShared, ...GUEST, '--at', '3:irq/60:serror');
    expect(text).toMatch(/ 3:irq\/60, position \d+\n/);
    expect(text).toContain('asked by serror');
  });

  it('records every stop', async () => {
    const path = join(folder.path, 'run.jsonl');
    const { status, stderr } = await runShared(['debug', ...GUEST, '--trace', path]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    expect(lines.at(-1)).toBe('{"end":"end","detail":""}');
    expect(lines.filter((line) => line.includes('"sframe-strict":"exact"'))).not.toEqual([]);
  });

  mkdirSync(join(folder.path, 'directory'));
  it.each([
    [['--kernel', 'x'], /--kernel needs --function/],
    [['calls/pac', ...GUEST], /--kernel and the scenario 'calls\/pac' cannot be combined/],
    [[...GUEST, '--image', 'x'], /--kernel and --image cannot be combined/],
    [['--kernel', 'x', '--function', 'un*'], /'un\*': debug needs exactly one function/],
    [['--kernel', 'x', '--function', 'a,b'], /'a,b': debug needs exactly one function/],
    [['--kernel', 'no/such', '--function', 'a'], /no\/such: cannot read the file/],
    [['calls/pac', '--offsets', 'x'], /--offsets needs --kernel/],
    [[...GUEST, '--kind', 'sdei'], /--kind sdei: .*not delivered to a real kernel/],
    [[...GUEST, '--at', '1:irq/2:sdei'], /--at sdei: .*not delivered to a real kernel/],
    [[...GUEST, '--at', '999'], /executes \d+ instructions: there is no instruction 999/],
    [['kunit:nounwind', '--args', '1'], /kunit:nounwind and --args cannot be combined/],
  ])('%j is refused in one line', async (args, message) => {
    const { status, stdout, stderr } = await runShared(['debug', ...args, '--print']);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^kunwind-lab: [^\n]*\n$/);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  });
});
