/** The short version of `npm run fuzz`. A finding prints the input's number and seed. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from '../cli/run-cli.js';

function fuzz(...args: string[]) {
  return spawnSync(process.execPath, [join(ROOT, 'dist/fuzz/fuzz.js'), ...args], {
    cwd: ROOT,
    encoding: 'utf8',
  });
}

it('1,000 mutated files are read or refused in one clear line', () => {
  const { status, stdout } = fuzz('--count', '1000', '--seed', '20');
  expect(stdout).toMatch(/^1000 inputs of seed 20: 0 findings; /);
  // Both ends were really reached.
  expect(Number(/ (\d+) read/.exec(stdout)?.[1])).toBeGreaterThan(250);
  expect(Number(/ (\d+) not-read/.exec(stdout)?.[1])).toBeGreaterThan(250);
  expect(status).toBe(0);
});

it('refuses a count that is none', () => {
  const { status, stderr } = fuzz('--count', 'many');
  expect([status, stderr]).toEqual([2, 'fuzz: --count, --seed and --from are whole numbers\n']);
});
