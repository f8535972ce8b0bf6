import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT, scratchFolder } from '../cli/run-cli.js';

it('a build keeps what has a source, and removes what was moved and the folders it was in', () => {
  const folder = scratchFolder();
  const sources = ['cli/main.ts', 'elf/error.ts'];
  const compiled = ['cli/main.js', 'elf/error.js', 'emulator/gdb/hex.js', 'elf/elf-error.js'];
  for (const name of [...sources, ...compiled.map((path) => join('dist', path))]) {
    mkdirSync(dirname(join(folder.path, name)), { recursive: true });
    writeFileSync(join(folder.path, name), '');
  }
  writeFileSync(join(folder.path, 'dist/.tsbuildinfo'), '');
  const script = join(ROOT, 'scripts/prune-dist.mjs');
  const { status, stderr } = spawnSync(process.execPath, [script, folder.path], {
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const left = readdirSync(join(folder.path, 'dist'), { recursive: true, encoding: 'utf8' });
  expect(left.sort()).toEqual(['.tsbuildinfo', 'cli', 'cli/main.js', 'elf', 'elf/error.js']);
  folder.remove();
});
