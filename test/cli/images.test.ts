import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { SweepReport } from '../../sweep/report.js';
import { writeLoader } from './image-files.js';
import { ROOT, run, scratchFolder } from './run-cli.js';

const folder = scratchFolder();
afterAll(() => {
  folder.remove();
});

const KERNELS = join(ROOT, '../shared/kernels');
const LEAF_KERNEL = join(KERNELS, 'vmlinux-7.3-rc7-leaf.gz');
const PLAIN_KERNEL = join(KERNELS, 'vmlinux-7.3-rc7.gz');

function sweepImage(file: string, fn: string, ...args: string[]) {
  const path = join(folder.path, 'report.json');
  const image = ['--image', file, '--function', fn, ...args];
  const { status, stdout, stderr } = run(['sweep', ...image, '--json', path, '--no-progress']);
  return { status, stdout, stderr, json: JSON.parse(readFileSync(path, 'utf8')) as SweepReport };
}

const STRICT = ['--policy', 'sframe-strict'];
/** The kinds whose entry leaves a metadata record. */
const BOUNDARY = ['--kind', 'irq,nmi,brk,serror'];

describe('a small image', () => {
  it.each([
    ['of a user program', 0x400000n],
    ['of a kernel', 0xffff800080010000n],
    ['that is position-independent: moved, and its data with it', 0n],
  ])('%s is swept where it is linked', (_, address) => {
    const file = writeLoader(join(folder.path, 'image'), address);
    const { status, stderr, stdout, json } = sweepImage(file, 'load_through', ...STRICT);
    expect(stderr).toBe(
      `kunwind-lab: warning: ${file} has no .sframe: no policy that asks SFrame can be exact in it\n`,
    );
    expect(status).toBe(0);
    expect(json.scenarios[0]).toMatchObject({ instructions: 4, problems: [] });
    expect(json.points).toBe(20);
    expect(json.policies['sframe-strict']).toMatchObject({ unreliable: 16, missing: 4 });
    expect(stdout).toMatch(/missing +4 {2}SDEI pushes a plain record/);
  });
});

const ROUTINES: readonly (readonly [string, readonly string[]])[] = [
  ['__pi_memcpy', ['buf:256', 'buf:256', '100']],
  ['__pi_memset', ['buf:0x100', '0x5a', '200']],
  ['__pi_memcmp', ['buf:256:7', 'buf:256:7', '200']],
  ['__pi_strlen', ['str:a string of some length']],
  ['__pi_strcmp', ['str:one and the same', 'str:one and the same']],
  ['__pi_memchr', ['buf:64', '-1', '64']],
];

describe.skipIf(!existsSync(LEAF_KERNEL))('a real kernel whose routines have CFI', () => {
  it.each(ROUTINES)('%s is exact at every point', (fn, args) => {
    const { status, stderr, json } = sweepImage(
      LEAF_KERNEL,
      fn,
      ...STRICT,
      ...BOUNDARY,
      '--args',
      ...args,
    );
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(json.points).toBeGreaterThan(40);
    expect(json.policies['sframe-strict']?.exact).toBe(json.points);
  });
});

describe.skipIf(!existsSync(PLAIN_KERNEL))('a real kernel whose routines have none', () => {
  it.each(ROUTINES)('%s is unreliable at every point', (fn, args) => {
    const { json } = sweepImage(PLAIN_KERNEL, fn, ...STRICT, ...BOUNDARY, '--args', ...args);
    expect(json.points).toBeGreaterThan(40);
    expect(json.policies['sframe-strict']?.unreliable).toBe(json.points);
    expect(Object.keys(json.scenarios[0]?.reasons['sframe-strict'] ?? {})).toEqual([
      'no-sframe-entry',
    ]);
  });

  it('needs less than 300 MB in a worker', () => {
    const { stdout } = sweepImage(PLAIN_KERNEL, '__pi_strlen', '--args', 'str:short');
    const memory = /workers? of up to (\d+) MB/.exec(stdout)?.[1];
    expect(Number(memory)).toBeLessThan(300);
  });

  it('has names near a misspelt one', () => {
    const args = ['sweep', '--image', PLAIN_KERNEL, '--function', '__pi_memcpyy'];
    expect(run(args).stderr).toMatch(/no function __pi_memcpyy; did you mean __pi_memcpy/);
  });
});
