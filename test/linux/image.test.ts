/** `kunwind-lab sweep --image` of a kernel that was built: its functions beside the built-in kernel. */
import { afterAll, describe, expect, it } from 'vitest';
import { imageSweeper } from '../cli/image-sweep.js';
import { run, scratchFolder } from '../cli/run-cli.js';
import { HAS_KERNELS, LEAF_KERNEL, PLAIN_KERNEL } from './kernels.js';

const folder = scratchFolder();
afterAll(() => {
  folder.remove();
});

const sweepImage = imageSweeper(folder.path, run);
const STRICT = ['--policy', 'sframe-strict'];
/** The kinds whose entry leaves a metadata record. */
const BOUNDARY = ['--kind', 'irq,nmi,brk,serror'];

const ROUTINES: readonly (readonly [string, readonly string[]])[] = [
  ['__pi_memcpy', ['buf:256', 'buf:256', '100']],
  ['__pi_memset', ['buf:0x100', '0x5a', '200']],
  ['__pi_memcmp', ['buf:256:7', 'buf:256:7', '200']],
  ['__pi_strlen', ['str:a string of some length']],
  ['__pi_strcmp', ['str:one and the same', 'str:one and the same']],
  ['__pi_memchr', ['buf:64', '-1', '64']],
];

describe.skipIf(!HAS_KERNELS)('a real kernel whose routines have CFI', () => {
  it.each(ROUTINES)('%s is exact at every point', async (fn, args) => {
    const { status, stderr, json } = await sweepImage(
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

describe.skipIf(!HAS_KERNELS)('a real kernel whose routines have none', () => {
  it.each(ROUTINES)('%s is unreliable at every point', async (fn, args) => {
    const { json } = await sweepImage(PLAIN_KERNEL, fn, ...STRICT, ...BOUNDARY, '--args', ...args);
    expect(json.points).toBeGreaterThan(40);
    expect(json.policies['sframe-strict']?.unreliable).toBe(json.points);
    expect(Object.keys(json.scenarios[0]?.reasons['sframe-strict'] ?? {})).toEqual([
      'no-sframe-entry',
    ]);
  });

  it('needs less than 300 MB in a worker', async () => {
    const { stdout } = await sweepImage(PLAIN_KERNEL, '__pi_strlen', '--args', 'str:short');
    const memory = /workers? of up to (\d+) MB/.exec(stdout)?.[1];
    expect(Number(memory)).toBeLessThan(300);
  });

  it('has names near a misspelt one', () => {
    const args = ['sweep', '--image', PLAIN_KERNEL, '--function', '__pi_memcpyy'];
    expect(run(args).stderr).toMatch(/no function __pi_memcpyy; did you mean __pi_memcpy/);
  });
});
