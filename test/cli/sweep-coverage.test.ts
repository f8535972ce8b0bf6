/** What share of a function a sweep says that it has executed. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { FunctionCoverage } from '../../sweep/function-coverage.js';
import { buildElf, words } from '../elf/elf-builder.js';
import { LEAF_ELF } from './image-files.js';
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

const ADDRESS = 0xffff8000c0000000n;
const CODE = [
  0xb4000080, // 00 cbz x0, 10
  0x91000400, // 04 add x0, x0, #1
  0xd65f03c0, // 08 ret
  0xd503201f, // 0c nop, which nothing reaches
  0xd503201f, // 10 nop, where the first branch leads
  0x91000400, // 14 add x0, x0, #1
  0x14000003, // 18 b 24
  0xd65f03c0, // 1c data that looks like code
  0x00000000, // 20 data
  0xd65f03c0, // 24 ret
  0x00000000, // 28 udf, padding
  0xd503201f, // 2c nop, padding
];

/** `mixed`, which has code, data and padding, and another function behind it. */
function writeMixed(): string {
  const data = words(...CODE, 0xd65f03c0);
  const path = join(folder.path, 'mixed.elf');
  const section = { name: '.text', type: 1, flags: 6, address: ADDRESS, data };
  const mark = (name: string, offset: bigint) => ({ name, value: ADDRESS + offset, info: 0 });
  writeFileSync(
    path,
    buildElf({
      type: 2,
      segments: [{ address: ADDRESS, data, flags: 5 }],
      sections: [section],
      symbols: [
        mark('$x', 0n),
        mark('$d', 0x1cn),
        mark('$x', 0x24n),
        { name: 'mixed', value: ADDRESS, size: 4 * CODE.length },
        { name: 'behind', value: ADDRESS + BigInt(4 * CODE.length), size: 4 },
      ],
    }),
  );
  return path;
}

describe('the coverage of a function', () => {
  it('counts neither data nor padding, and what was executed always', async () => {
    const file = writeMixed();
    const through = await sweepImage(file, 'mixed', '--args', '0', '--policy', 'frame-pointer');
    expect(through.json.scenarios[0]?.coverage).toEqual({
      function: 'mixed',
      instructions: 7,
      executed: 5,
      percent: 71.43,
      executedRanges: [
        [0, 4],
        [0x10, 0x1c],
        [0x24, 0x28],
      ],
      unexecutedRanges: [[4, 0xc]],
    } satisfies FunctionCoverage);
    expect(through.stdout).toMatch(/^mixed: 5 of 7 instructions executed, 71 %$/m);
    expect(through.stdout).not.toMatch(/warning/);
    expect(through.stdout).toMatch(/: all as promised\n$/);
  });

  it('warns when less than a half was executed', async () => {
    const early = await sweepImage(writeMixed(), 'mixed', '--args', '1');
    expect(early.json.scenarios[0]?.coverage).toMatchObject({
      instructions: 6,
      executed: 3,
      executedRanges: [[0, 0xc]],
      unexecutedRanges: [
        [0x14, 0x1c],
        [0x24, 0x28],
      ],
    });
    const { stdout, json } = await sweepImage(LEAF_ELF, 'leaf_memcpy', '--args', '0', '0', '0');
    const { executed, instructions, percent } = json.scenarios[0]?.coverage ?? {};
    expect(percent).toBeLessThan(50);
    const share = `leaf_memcpy: ${executed} of ${instructions} instructions executed, \\d+ %`;
    expect(stdout).toMatch(new RegExp(`^${share}$`, 'm'));
    expect(stdout).toMatch(/^warning: under a half/m);
    expect(stdout).toMatch(/: all as promised in the \d+ % executed\n$/);
  });

  it('is what the points say: sdei is possible before every instruction', async () => {
    const args = ['--args', 'buf:256', 'buf:256', '100', '--kind', 'sdei'];
    const { json } = await sweepImage(LEAF_ELF, 'leaf_memcpy', ...args);
    const ranges = json.scenarios[0]?.coverage?.executedRanges ?? [];
    const stops = new Set<number>();
    for (let index = 0; index < (json.scenarios[0]?.instructions ?? 0); index++) {
      const point = ['--args', 'buf:256', 'buf:256', '100', '--point', `${index}:sdei`];
      const image = ['sweep', '--image', LEAF_ELF, '--function', 'leaf_memcpy'];
      const { stdout } = await runShared([...image, ...point, '--jobs', '1']);
      const at = /\bat leaf_memcpy\+0x([0-9a-f]+)\//.exec(stdout);
      if (at !== null) stops.add(parseInt(at[1] ?? '', 16));
    }
    const executed = ranges.flatMap(([from, to]) =>
      Array.from({ length: (to - from) / 4 }, (_, i) => from + 4 * i),
    );
    expect([...stops].sort((a, b) => a - b)).toEqual(executed);
  });

  it('is the same for any number of workers, and shows the least of many', async () => {
    const args = ['--sample', '6', '--seed', '7', '--policy', 'frame-pointer', '--kind', 'irq'];
    const one = await sweepKernel(GUEST, ...args);
    const two = sweeper(folder.path, (words) => runShared([...words, '--jobs', '2']));
    const coverages = (outcome: typeof one) => outcome.json?.scenarios.map((s) => s.coverage);
    expect(coverages(await two(GUEST, ...args))).toEqual(coverages(one));
    expect(one.stdout).toMatch(/^6 functions: \d+ of \d+ instructions executed, \d+ %\nthe least/m);
    const shares = [...one.stdout.matchAll(/^ +(\d+) % +\d+ of \d+ {2}\w+$/gm)];
    const percents = shares.map(([, percent]) => Number(percent));
    expect(percents).toHaveLength(6);
    expect(percents).toEqual([...percents].sort((a, b) => a - b));
  });

  it('is not reported of built-in scenarios', async () => {
    const { stdout } = await runWithOneJob(['sweep', 'calls/pac', '--kind', 'irq']);
    expect(stdout).not.toMatch(/instructions executed/);
  });
});

describe('--min-coverage', () => {
  it('makes the status 1, and says so in one line', async () => {
    const args = ['--args', '0', '--policy', 'frame-pointer', '--min-coverage'];
    const enough = await sweepImage(writeMixed(), 'mixed', ...args, '71');
    expect(enough.status).toBe(0);
    expect(enough.stderr).not.toMatch(/min-coverage/);
    const short = await sweepImage(writeMixed(), 'mixed', ...args, '72');
    expect(short.status).toBe(1);
    const line = 'kunwind-lab: 1 function is below --min-coverage 72: mixed (71 %)';
    expect(short.stderr.trimEnd().split('\n').at(-1)).toBe(line);
    expect(short.json.unexpected).toBe(0);
  });

  it.each([
    [['calls/pac', '--min-coverage', '50'], /--min-coverage needs --image or --kernel/],
    [['--kernel', GUEST, '--min-coverage', '101'], /--min-coverage must be 1 to 100 percent/],
    [['--kernel', GUEST, '--min-coverage', 'x'], /--min-coverage must be a positive integer/],
    [['--kernel', GUEST, '--min-coverage', '5', '--point', '0:irq'], /cannot be combined/],
  ])('is refused in %j', async (args, message) => {
    const { status, stderr } = await runShared(['sweep', ...args]);
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
  });
});
