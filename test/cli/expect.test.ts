/** `sweep --expect exact --in FUNCTIONS`: code that only loses reliability is not green. */
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { words } from '../elf/elf-builder.js';
import { LEAF_ELF, writeCode } from './image-files.js';
import { imageSweeper } from './image-sweep.js';
import { GUEST, sweeper } from './kernel-sweep.js';
import { scratchFolder } from './run-cli.js';
import { runShared, runWithOneJob } from './shared-session.js';

const folder = scratchFolder();
afterAll(() => {
  folder.remove();
});
const sweepImage = imageSweeper(folder.path, runWithOneJob);
const sweepKernel = sweeper(folder.path, runWithOneJob);

const GIVEN = ['--args', 'str:hello', '--policy', 'sframe-strict'];
const EXACT = [...GIVEN, '--expect', 'exact'];

describe('of an image', () => {
  it('makes unreliable a failure, whose points are what was unreliable before', async () => {
    const before = await sweepImage(LEAF_ELF, 'leaf_strlen_nocfi', ...GIVEN);
    expect(before.status).toBe(0);
    const unreliable = before.json.policies['sframe-strict']?.unreliable ?? 0;
    expect(unreliable).toBeGreaterThan(0);
    expect(before.json.scenarios[0]).not.toHaveProperty('judged');

    const after = await sweepImage(LEAF_ELF, 'leaf_strlen_nocfi', ...EXACT);
    expect([after.status, after.json.unexpected]).toEqual([1, unreliable]);
    expect(after.json.policies).toEqual(before.json.policies);
    expect(after.stdout).toContain(
      `✗ unreliable (no-sframe-entry) ${unreliable} times in leaf_strlen_nocfi`,
    );
    expect(after.stdout).toContain('promised  exact\n');
  });

  it('is met by a function that is exact, and leaves what SDEI hides promised', async () => {
    const { status, json } = await sweepImage(LEAF_ELF, 'leaf_strlen', ...EXACT);
    expect([status, json.unexpected]).toEqual([0, 0]);
    expect(json.policies['sframe-strict']).toMatchObject({ unreliable: 0 });
    expect(json.scenarios[0]?.judged).toEqual(['leaf_strlen']);
  });

  it('is about the functions of --in only', async () => {
    const sweepIn = (...names: string[]) =>
      sweepImage(LEAF_ELF, 'leaf_strlen_nocfi', ...EXACT, ...names.flatMap((n) => ['--in', n]));
    expect((await sweepIn('leaf_strlen_nocfi')).status).toBe(1);
    expect((await sweepIn('*strlen_nocf?')).status).toBe(1);
    // At depth 2 the exception's own code is interrupted as well.
    const depth = ['--depth', '2', '--kind', 'irq,sdei', '--in', 'gic_handle_irq,generic_*'];
    const inside = await sweepImage(LEAF_ELF, 'leaf_strlen_nocfi', ...EXACT, ...depth);
    expect(inside.stderr).toBe('');
    expect(inside.json.scenarios[0]?.judged).toContain('gic_handle_irq');
    expect(inside.json.policies['sframe-strict']?.unreliable).toBeGreaterThan(0);
    const fns = inside.json.scenarios.flatMap(({ findings }) => findings.map(({ fn }) => fn));
    expect(fns).not.toContain('leaf_strlen_nocfi');
  });

  it.each([['nope'], ['leaf_strlen_nocfi,nope'], ['leaf_memcpy*']])(
    'of what no walk was judged in is refused: --in %s',
    async (names) => {
      const args = ['--image', LEAF_ELF, '--function', 'leaf_strlen_nocfi', ...EXACT];
      const run = await runWithOneJob(['sweep', ...args, '--in', names, '--no-progress']);
      const absent = names.split(',').at(-1) ?? '';
      expect({ status: run.status, stdout: run.stdout, stderr: run.stderr }).toEqual({
        status: 2,
        stdout: '',
        stderr: `kunwind-lab: --in ${absent}: no walk was judged there, only in leaf_strlen_nocfi\n`,
      });
    },
  );
});

it.each(['first', 'second'])(
  'of a function with two names is about both: --in %s',
  async (name) => {
    const text = words(0x91000400, 0xd65f03c0); // add x0, x0, #1; ret
    const file = writeCode(join(folder.path, 'two-names'), 'first', text, 'second');
    const given = ['--policy', 'frame-pointer', '--expect', 'exact', '--in', name];
    const { status, json } = await sweepImage(file, name, ...given);
    expect(json.scenarios[0]?.judged).toHaveLength(1);
    expect(status).toBe(1);
    expect(json.unexpected).toBe(json.policies['frame-pointer']?.unreliable);
  },
);

it('of a kernel: every unreliable walk is a failure, where nothing is left out', async () => {
  const given = ['--function', 'unregister_kprobe', '--policy', 'frame-pointer'];
  const names = ['--expect', 'exact'];
  const { status, json } = await sweepKernel(GUEST, ...given, ...names);
  expect(status).toBe(1);
  expect(json?.unexpected).toBe(json?.policies['frame-pointer']?.unreliable);
});

it.each([
  [['calls/pac', '--expect', 'exact'], /--expect needs --image or --kernel/],
  [['--kernel', GUEST, '--expect', 'reliable'], /--expect 'reliable' is unknown: only exact/],
  [['--kernel', GUEST, '--in', 'memcpy'], /--in needs --expect exact/],
  [['--kernel', GUEST, '--expect', 'exact', '--in', 'a,'], /--in needs a value/],
  [['--kernel', GUEST, '--expect', 'exact', '--point', '0:irq'], /cannot be combined/],
  [['--kernel', GUEST, '--expect', 'exact', '--expect', 'exact'], /--expect is given 2 times/],
] as const)('is refused: %s', async (args, message) => {
  const { status, stderr } = await runShared(['sweep', ...args]);
  expect(status).toBe(2);
  expect(stderr).toMatch(message);
});
