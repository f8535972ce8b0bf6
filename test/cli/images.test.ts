import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { writeCode, writeFollower, writeLoader } from './image-files.js';
import { words } from '../elf/elf-builder.js';
import { imageSweeper } from './image-sweep.js';
import { scratchFolder } from './run-cli.js';
import { runWithOneJob } from './shared-session.js';

const folder = scratchFolder();
afterAll(() => {
  folder.remove();
});

const sweepImage = imageSweeper(folder.path, runWithOneJob);
const STRICT = ['--policy', 'sframe-strict'];

describe('a small image', () => {
  it.each([
    ['of a user program', 0x400000n],
    ['of a kernel', 0xffff800080010000n],
    ['that is position-independent: moved, and its data with it', 0n],
  ])('%s is swept where it is linked', async (_, address) => {
    const file = writeLoader(join(folder.path, 'image'), address);
    const { status, stderr, stdout, json } = await sweepImage(file, 'load_through', ...STRICT);
    expect(stderr).toBe(
      `kunwind-lab: warning: ${file} has no .sframe: no policy that uses SFrame can be exact in it\n`,
    );
    expect(status).toBe(0);
    expect(json.scenarios[0]).toMatchObject({ instructions: 4, problems: [] });
    expect(json.points).toBe(20);
    expect(json.policies['sframe-strict']).toMatchObject({ unreliable: 16, missing: 4 });
    expect(stdout).toMatch(/missing +4 {2}1 known bug/);
  });
});

describe('an ordinary program', () => {
  const program = (name: string): string => `test/fixtures/programs/${name}`;
  it.each(['pie', 'no-pie', 'static', 'static-pie', 'shared'])('%s.elf is swept', async (name) => {
    const { status, stderr, json } = await sweepImage(program(`${name}.elf`), 'add', ...STRICT);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(json).toMatchObject({ points: 15, unexpected: 0 });
  });

  it.each([
    ['pie', 'call_other', 'called other_call, which this file does not define'],
    ['no-pie', 'read_other', 'read other_pointer, which this file does not define'],
  ])('%s.elf: %s is what cannot be swept, by name', async (name, fn, what) => {
    const file = program(`${name}.elf`);
    const args = ['--image', file, '--function', fn, '--no-progress', ...STRICT];
    const { status, stdout, stderr } = await runWithOneJob(['sweep', ...args]);
    expect(stderr).toBe(`kunwind-lab: ${file}:${fn}: the code ${what}\n`);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  });

  it('gets memory that points at itself without --args, as a function of a kernel does', async () => {
    const file = writeFollower(join(folder.path, 'follower'));
    const { status, json } = await sweepImage(file, 'follow', ...STRICT);
    expect(status).toBe(0);
    expect(json.scenarios[0]).toMatchObject({ instructions: 3, problems: [] });
  });
});

it('an instruction that the engine does not know is named, and is no crash of the code', async () => {
  const text = words(0x52800021, 0xb8210000, 0xd65f03c0); // mov w1, #1; ldadd; ret
  const file = writeCode(join(folder.path, 'lse'), 'inc', text);
  const { status, stdout, json } = await sweepImage(file, 'inc', ...STRICT);
  expect(status).toBe(1);
  expect(stdout.replaceAll(/\s+/g, ' ')).toContain(
    '✗ an instruction unknown to the engine: ldadd w1, w0, [x0] (word 0xb8210000) at inc+0x4/0xc (0x400004)',
  );
  expect(json.scenarios[0]?.problems[0]).toEqual({
    kind: 'unknown-instruction',
    at: 'inc+0x4/0xc',
    detail: 'ldadd w1, w0, [x0] (word 0xb8210000) at inc+0x4/0xc (0x400004)',
  });
});
