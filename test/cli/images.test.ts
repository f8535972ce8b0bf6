import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { writeLoader } from './image-files.js';
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
      `kunwind-lab: warning: ${file} has no .sframe: no policy that asks SFrame can be exact in it\n`,
    );
    expect(status).toBe(0);
    expect(json.scenarios[0]).toMatchObject({ instructions: 4, problems: [] });
    expect(json.points).toBe(20);
    expect(json.policies['sframe-strict']).toMatchObject({ unreliable: 16, missing: 4 });
    expect(stdout).toMatch(/missing +4 {2}1 known bug/);
  });
});
