/** Too little address space (`ulimit -v`) is one line that says what is lacking, whatever wants it. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findEngineLibrary } from '../../emulator/engine-library.js';
import { xzFile, zstdFile } from '../compressed.js';
import { environment, MAIN, ROOT, scratchFolder } from './run-cli.js';

/** Runs a command line with so many kilobytes. */
function runWith(kilobytes: number, args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(
    'bash',
    ['-c', `ulimit -v ${kilobytes}; exec "$0" "$@"`, process.execPath, MAIN, ...args],
    { cwd: ROOT, encoding: 'utf8', env: environment({}) },
  );
  return { status, stdout, stderr };
}

const found = findEngineLibrary();
const hasLibrary = found.ok && found.value.backend === 'libunicorn';

describe.skipIf(process.platform !== 'linux' || !hasLibrary)(
  'little address space (Linux with libunicorn)',
  () => {
    const commands = [
      ['sweep', 'calls/pac'],
      ['sweep', 'calls/pac', '--jobs', '1'],
      ['kunit', '--case', 'nounwind', '--policy', 'sframe-v5'],
      ['debug', 'calls/pac', '--print'],
      ['sframe', 'verify', 'scenarios/calls/calls.elf'],
    ];
    it.each(commands)('%s %s: of 1.5 GB, one line and status 2', (...args) => {
      const { status, stdout, stderr } = runWith(1_500_000, args);
      expect(stderr).toMatch(
        /^(sweeping .*\n)?kunwind-lab: (\S+: )?too little address space: ulimit -v is 1500000, of which \d+ are used; the engine needs \d+ more; 6291456 is enough for everything\n$/,
      );
      expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    });

    it.each([
      ['xz', xzFile],
      ['zst', zstdFile],
    ])('that no .%s decoder can do with is one line, and not called corrupt', (suffix, make) => {
      const folder = scratchFolder();
      try {
        const file = join(folder.path, `calls.elf.${suffix}`);
        writeFileSync(file, make(readFileSync(join(ROOT, 'scenarios/calls/calls.elf'))));
        const { status, stdout, stderr } = runWith(8_000_000, ['sframe', 'stat', file]);
        expect(stderr).toMatch(
          /^kunwind-lab: \S+: cannot be decompressed into \S+: the decoder needs \d+ GiB of address space, which ulimit -v does not leave; decompress it first\n$/,
        );
        expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
      } finally {
        folder.remove();
      }
    });

    it('that the verifier can do with is enough for it', () => {
      const args = ['sframe', 'verify', 'scenarios/calls/calls.elf', '--jobs', '1'];
      expect(runWith(3_000_000, args)).toMatchObject({ status: 0, stderr: '' });
      expect(runWith(3_000_000, ['sweep', 'calls/pac']).status).toBe(2);
    });

    it('as much as the message names is enough', () => {
      const args = ['sweep', 'calls/pac', '--policy', 'sframe-strict', '--no-progress'];
      expect(runWith(6_291_456, args)).toMatchObject({ status: 0, stderr: '' });
      expect(runWith(6_291_456, ['debug', 'calls/pac', '--print']).status).toBe(0);
    });
  },
);
