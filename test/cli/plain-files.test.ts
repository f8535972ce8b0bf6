/** Compressed files, and what is no file at all, wherever a command takes one. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { notice } from '../../cli/plain-files.js';
import { xzFile, zstdFile } from '../compressed.js';
import { EXHAUSTIVE, sample } from '../exhaustive.js';
import { LEAF_ELF } from './image-files.js';
import { GUEST } from './kernel-sweep.js';
import { run, scratchFolder } from './run-cli.js';
import { runShared } from './shared-session.js';

const folder = scratchFolder();
afterAll(() => {
  folder.remove();
});

const leaf = readFileSync(LEAF_ELF);
const scratch = join(folder.path, 'scratch');
mkdirSync(scratch);

describe.each([
  ['gz', (bytes: Buffer): Buffer => gzipSync(bytes)],
  ['xz', (bytes: Buffer): Buffer => xzFile(bytes)],
  ['zst', (bytes: Buffer): Buffer => zstdFile(bytes)],
])('a .%s', (extension, compress) => {
  const path = join(folder.path, `leaf.${extension}`);
  writeFileSync(path, compress(leaf));
  const fn = ['--function', 'leaf_strlen_entry'];

  const commands = [
    ['sframe', 'stat', path],
    ['sframe', 'coverage', path, '--json'],
    ['sframe', 'diff', path, LEAF_ELF],
    ['sframe', 'verify', path, ...fn],
    ['debug', '--image', path, ...fn, '--at', '0', '--print'],
  ];

  it.each([[['sframe', 'dump', path]], ...sample(commands, 1).map((args): [string[]] => [args])])(
    'is read by %j as if it were plain',
    (args) => {
      const plain = run(args.map((word) => (word === path ? LEAF_ELF : word)));
      const compressed = run(args, { TMPDIR: scratch });
      expect(compressed.stdout.replaceAll(path, LEAF_ELF)).toBe(plain.stdout);
      expect(compressed.stdout.length).toBeGreaterThan(40);
      expect(compressed.status).toBe(plain.status);
      expect(readdirSync(scratch)).toEqual([]);
    },
  );

  it.runIf(EXHAUSTIVE || extension === 'xz')('is swept as if it were plain', () => {
    const verdicts = (file: string): string[] => {
      const args = ['sweep', '--image', file, ...fn, '--kind', 'irq', '--no-progress'];
      const lines = run(args, { TMPDIR: scratch }).stdout.split('\n');
      return lines.filter((line) => /^\s*(frame-pointer|sframe-|fgraph-)/.test(line));
    };
    expect(verdicts(path)).toEqual(verdicts(LEAF_ELF));
    expect(verdicts(path).length).toBeGreaterThan(5);
    expect(readdirSync(scratch)).toEqual([]);
  });
});

describe('a FIFO, which nobody writes to,', () => {
  const fifo = join(folder.path, 'fifo');
  execFileSync('mkfifo', [fifo]);

  it.each([
    [['doctor', '--kernel', fifo]],
    [['doctor', '--kernel', GUEST, '--offsets', fifo]],
    [['sweep', '--kernel', fifo]],
    [['sweep', '--image', fifo, '--function', 'f']],
    [['debug', '--kernel', fifo, '--function', 'f', '--print']],
    [['debug', '--image', fifo, '--function', 'f', '--print']],
    [['sframe', 'dump', fifo]],
    [['sframe', 'stat', fifo]],
    [['sframe', 'coverage', fifo]],
    [['sframe', 'diff', fifo, fifo]],
    [['sframe', 'verify', fifo]],
    [['kunit', '--compare', fifo]],
  ])('is refused by %j', async (args) => {
    const { status, stdout, stderr } = await runShared(args);
    expect(stderr).toMatch(/^kunwind-lab: [^\n]*fifo: [^\n]*not a (regular file|folder)\n$/);
    expect([status, stdout]).toEqual([2, '']);
  });

  it('is refused as a log to compare with', async () => {
    const logs = join(folder.path, 'logs');
    mkdirSync(logs);
    execFileSync('mkfifo', [join(logs, 'sframe-v6.ktap')]);
    const { status, stderr } = await runShared(['kunit', '--compare', logs]);
    expect(stderr).toMatch(/sframe-v6\.ktap: [^\n]*not a regular file\n$/);
    expect(status).toBe(2);
  });
});

it('what takes long tells so after two seconds, and then ever more rarely', () => {
  let clock = 0;
  const lines: string[] = [];
  const tell = notice(
    'decompressing a.xz',
    (line) => lines.push(line),
    () => clock,
  );
  for (let bytes = 0; clock < 20_000; bytes += 2 ** 20, clock += 100) tell(bytes);
  expect(lines).toEqual([
    'decompressing a.xz: 20 MiB so far',
    'decompressing a.xz: 40 MiB so far',
    'decompressing a.xz: 80 MiB so far',
    'decompressing a.xz: 160 MiB so far',
  ]);
});
