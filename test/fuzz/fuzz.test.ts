/** The short version of `npm run fuzz`. A finding prints the input's number and seed. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from '../cli/run-cli.js';
import { EXHAUSTIVE } from '../exhaustive.js';

const INPUTS = EXHAUSTIVE ? 1000 : 150;

function fuzz(...args: string[]) {
  return spawnSync(process.execPath, [join(ROOT, 'dist/fuzz/fuzz.js'), ...args], {
    cwd: ROOT,
    encoding: 'utf8',
  });
}

it(`${INPUTS} mutated files are read or refused in one clear line`, () => {
  const { status, stdout } = fuzz('--count', String(INPUTS), '--seed', '20');
  const inputs = INPUTS.toLocaleString('en');
  expect(stdout).toMatch(new RegExp(`^${inputs} inputs of seed 20: 0 findings; `));
  // Both ends were really reached.
  expect(Number(/ (\d+) read/.exec(stdout)?.[1])).toBeGreaterThan(INPUTS / 4);
  expect(Number(/ (\d+) not-read/.exec(stdout)?.[1])).toBeGreaterThan(INPUTS / 4);
  expect(status).toBe(0);
});

it('refuses a count that is none', () => {
  const { status, stderr } = fuzz('--count', 'many');
  expect([status, stderr]).toEqual([2, 'fuzz: --count, --seed and --from must be whole numbers\n']);
});
