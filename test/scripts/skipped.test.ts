/** A script that has nothing to check does not end as one that has checked it: 3 is skipped, 2 wrong usage. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { repositoryPath } from '../machine-fixture.js';

const empty = mkdtempSync(join(tmpdir(), 'kunwind-no-kernels-'));
afterAll(() => {
  rmSync(empty, { recursive: true });
});

/** Runs a command in the repository, with no real kernel. */
function run(command: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: repositoryPath('.'),
    encoding: 'utf8',
    // Vitest would take itself for one of its own workers.
    env: { PATH: process.env['PATH'], KUNWIND_KERNELS: empty },
  });
  return { status, stdout, stderr };
}

const TSX = repositoryPath('node_modules/.bin/tsx');

describe('without the real kernels', () => {
  it('npm run verify:kernels is skipped, and names what is not there', () => {
    expect(run(process.execPath, 'test/verify/kernels.mjs')).toEqual({
      status: 3,
      stdout: '',
      stderr:
        `verify:kernels: skipped, 2 of 2 kernels are not in ${empty}: ` +
        'vmlinux-7.3-rc7-leaf.gz, vmlinux-7.3-rc7.gz\n',
    });
  });

  it('npm run verify:mutations is skipped, and names what is not there', () => {
    expect(run(TSX, 'test/verify/mutation/mutations.ts')).toEqual({
      status: 3,
      stdout: '',
      stderr:
        'verify:mutations: skipped, nothing was verified: ' +
        `${join(empty, 'vmlinux-7.3-rc7-leaf.gz')} is not there\n`,
    });
  });

  it('npm run test:linux is skipped', () => {
    const { status, stdout, stderr } = run(
      process.execPath,
      repositoryPath('node_modules/vitest/vitest.mjs'),
      ...['run', '--project', 'linux'],
    );
    expect(stderr).toContain('test:linux: skipped, nothing was tested\n');
    expect(stdout).not.toContain('passed');
    expect(status).toBe(3);
  });
});

it('mutations of nothing, and no inputs, are refused', () => {
  const mutations = ['--tables', '0', '--code', '0', '--file', 'kernel-model/guest/vmlinux'];
  expect(run(TSX, 'test/verify/mutation/mutations.ts', ...mutations)).toEqual({
    status: 2,
    stdout: '',
    stderr: 'verify:mutations: --tables 0 and --code 0 verify nothing\n',
  });
  expect(run(process.execPath, 'dist/fuzz/fuzz.js', '--count', '0')).toEqual({
    status: 2,
    stdout: '',
    stderr: 'fuzz: --count 0 tries nothing\n',
  });
});

it('CI takes 3 for skipped, of each script that ends with it', () => {
  const ci = readFileSync(repositoryPath('.ci/run'), 'utf8');
  const scripts = [
    'test:linux',
    'verify:kernels',
    'verify:mutations',
    'sweep:engines',
    'guest:check',
  ];
  for (const script of scripts) {
    expect(ci).toMatch(new RegExp(`^run_or_skip npm run (--silent )?${script}\\b`, 'm'));
  }
  const [, helper = ''] = /^(run_or_skip\(\) \{\n[^]*?\n\})/m.exec(ci) ?? [];
  const script = `step() { :; }; failed=0; ${helper}
    for status in 0 3 1; do run_or_skip sh -c "exit $status"; echo "failed=$failed"; done`;
  expect(run('bash', '-c', script).stdout).toBe(
    'failed=0\nSKIPPED: sh -c exit 3\nfailed=0\nFAILED: sh -c exit 1\nfailed=1\n',
  );
});
