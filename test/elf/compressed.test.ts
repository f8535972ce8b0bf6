/** Files that are compressed: each format in the same way, and none without bounds. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { crc32, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeElfError } from '../../elf/error.js';
import { loadElf } from '../../elf/image.js';
import { openFile } from '../../elf/open-file.js';
import { makePlainCopy } from '../../elf/plain-copy.js';
import { xzFile, zstdFile } from '../compressed.js';
import { buildElf, words } from './elf-builder.js';

const folder = mkdtempSync(join(tmpdir(), 'kunwind-compressed-'));
const scratch = join(folder, 'scratch');
const outside = process.env['TMPDIR'];
const removals: (() => void)[] = [];

beforeAll(() => {
  mkdirSync(scratch);
  process.env['TMPDIR'] = scratch;
});
afterAll(() => {
  if (outside === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = outside;
  rmSync(folder, { recursive: true });
});

const MIB = 2 ** 20;
type Maker = (bytes: Uint8Array, zeros: number) => Buffer;
/** How each format makes a file of some bytes and then so many MiB of zeroes, or a little less. */
const FORMATS: readonly (readonly [string, Maker])[] = [
  ['gzip', (bytes, zeros) => gzipSync(Buffer.concat([bytes, Buffer.alloc(zeros * MIB)]))],
  ['xz', (bytes, zeros) => xzFile(bytes, zeros / 2)],
  ['zstd', (bytes, zeros) => zstdFile(bytes, zeros * 8)],
];

let written = 0;

function write(bytes: Uint8Array): string {
  const path = join(folder, `file-${written++}`);
  writeFileSync(path, bytes);
  return path;
}

interface Made {
  readonly problem: string;
  /** How much had been decompressed when it was last told, in bytes. */
  readonly told: number;
}

async function make(path: string): Promise<Made> {
  let told = 0;
  const made = await makePlainCopy(path, {
    scratch: (remove) => removals.push(remove),
    progress: (bytes) => (told = bytes),
  });
  return { problem: made.ok ? '' : made.error.replace(path, 'FILE'), told };
}

function removeCopies(): void {
  for (const remove of removals.splice(0)) remove();
}

/** A valid ELF file whose sections end at `end`, of which only the start is returned. */
function startOfElf(end: number): Buffer {
  const file = buildElf({
    sections: [{ name: '.debug_info', type: 1, data: words(1) }],
  });
  const header = Number(file.readBigUInt64LE(40)) + 64;
  file.writeBigUInt64LE(BigInt(end) - file.readBigUInt64LE(header + 24), header + 32);
  return file;
}

describe.each(FORMATS)('%s', (name, compress) => {
  it('is read by its own name, whatever that is, from a copy that is removed', async () => {
    const elf = buildElf({
      segments: [{ address: 0x10000n, data: new Uint8Array(300_000).fill(7) }],
    });
    const path = write(compress(elf, 0));
    expect(await make(path)).toEqual({ problem: '', told: elf.length });
    const file = openFile(path);
    expect(file.ok && file.value.size).toBe(elf.length);
    expect(file.ok && elf.equals(file.value.read(0, elf.length))).toBe(true);
    expect(loadElf(path)).toMatchObject({ ok: true, value: { path } });
    expect(readdirSync(scratch)).toHaveLength(1);
    removeCopies();
    expect(readdirSync(scratch)).toEqual([]);
  });

  it.each([
    ['zeroes', Buffer.alloc(4096), 'FILE: not an ELF file: e_ident[EI_MAG] at offset 0x0 is 00 00'],
    ['x86', buildElf({ machine: 62 }), 'FILE: built for x86-64, not AArch64'],
  ])('of a long %s is refused at the first bytes', async (_, start, expected) => {
    const { problem, told } = await make(write(compress(start, 64)));
    expect(problem).toContain(expected);
    expect(told).toBe(0);
    expect(readdirSync(scratch)).toEqual([]);
  });

  it('that goes on after what the ELF headers account for is refused there', async () => {
    const { problem, told } = await make(write(compress(startOfElf(4 * MIB), 64)));
    expect(problem).toBe(
      `FILE: decompresses to more than the ${5 * MIB} bytes that its own ELF headers account for`,
    );
    expect(told).toBeLessThanOrEqual(5 * MIB);
    expect(readdirSync(scratch)).toEqual([]);
  });

  it('out of proportion to its size is refused, whatever its headers say', async () => {
    const { problem, told } = await make(write(compress(startOfElf(2 ** 32), 96)));
    expect(problem).toBe(
      `FILE: decompresses to more than ${64 * MIB} bytes, out of proportion to its size: ` +
        'if it is no decompression bomb, give it decompressed',
    );
    expect(told).toBeLessThanOrEqual(64 * MIB);
    expect(readdirSync(scratch)).toEqual([]);
  });

  it('whose headers lie further than it can reach is refused at once', async () => {
    const start = buildElf();
    start.writeBigUInt64LE(2n ** 33n, 40);
    const { problem, told } = await make(write(compress(start, 64)));
    expect(problem).toMatch(/^FILE: decompresses to more than 67108864 bytes, out of proportion/);
    expect(told).toBe(0);
  });

  it('that is damaged or cut short is one line', async () => {
    const whole = compress(
      buildElf({ segments: [{ address: 0x10000n, data: noise(100_000) }] }),
      0,
    );
    for (const bytes of [whole.subarray(0, 8), whole.subarray(0, whole.length / 2)]) {
      const { problem } = await make(write(bytes));
      expect(problem).toMatch(new RegExp(`^FILE: the ${name} data is corrupt or cut short: .+$`));
    }
    expect(readdirSync(scratch)).toEqual([]);
  });

  it('of a boot Image says what is needed', async () => {
    const image = Buffer.alloc(4096);
    image.write('ARM\x64', 56, 'latin1');
    expect((await make(write(compress(image, 0)))).problem).toBe(
      'FILE: an arm64 boot Image (magic at offset 0x38); the vmlinux of the same build is needed',
    );
  });

  it('inside gzip is not looked into', async () => {
    const twice = gzipSync(compress(buildElf(), 0));
    expect((await make(write(twice))).problem).toMatch(/^FILE: compressed twice /);
  });
});

it('lets other events have their turn', async () => {
  // This decoder waits for nothing by itself.
  const path = write(zstdFile(startOfElf(40 * MIB), 8 * 40));
  let turns = 0;
  let isDone = false;
  const count = (): void => {
    turns++;
    if (!isDone) setImmediate(count);
  };
  setImmediate(count);
  const told: number[] = [];
  const made = await makePlainCopy(path, {
    scratch: (remove) => removals.push(remove),
    progress: () => told.push(turns),
  });
  isDone = true;
  expect(made.ok).toBe(true);
  expect(told.length).toBeGreaterThan(300);
  expect(new Set(told).size).toBe(told.length);
  removeCopies();
});

it('removes what a killed process has left behind, and nothing else', async () => {
  const left = await promisify(execFile)(process.execPath, ['-p', 'process.pid']);
  const [own = ''] = await names(write(zstdFile(buildElf())));
  const ofDead = own.replace(`-${process.pid}-`, `-${left.stdout.trim()}-`);
  for (const name of [ofDead, `kunwind-lab-elsewhere-${left.stdout.trim()}-abc`, 'kunwind-cli-x']) {
    mkdirSync(join(scratch, name));
    writeFileSync(join(scratch, name, 'plain'), 'x');
  }
  const after = await names(write(zstdFile(buildElf())));
  expect(after).not.toContain(ofDead);
  expect(after).toEqual(expect.arrayContaining([own, 'kunwind-cli-x']));
  expect(after).toHaveLength(4);
  removeCopies();
});

async function names(path: string): Promise<string[]> {
  expect((await make(path)).problem).toBe('');
  return readdirSync(scratch);
}

it('xz with a dictionary of 4 GiB does not get it', async () => {
  const file = xzFile(buildElf());
  // In the block header, after the 12 bytes of the stream header: its size, flags, filter, and that's properties.
  file[12 + 4] = 39;
  file.writeUInt32LE(crc32(file.subarray(12, 20)), 20);
  const before = process.memoryUsage().rss;
  expect((await make(write(file))).problem).toBe(
    'FILE: the xz data is corrupt or cut short: its dictionary is larger than the 64 MiB that can be read; decompress it first',
  );
  expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 28);
});

describe('without a copy', () => {
  it('gzip is decompressed into memory within the same bounds', () => {
    const [, compress] = FORMATS[0] as (typeof FORMATS)[number];
    for (const [bytes, expected] of [
      [compress(Buffer.alloc(4096), 64), /not an ELF file/],
      [compress(startOfElf(4 * MIB), 64), /more than the 5242880 bytes that its own ELF headers/],
      [compress(startOfElf(2 ** 32), 96), /more than 67108864 bytes, out of proportion/],
    ] as const) {
      const file = openFile(write(bytes));
      expect(file.ok ? '' : describeElfError(file.error)).toMatch(expected);
    }
  });

  it('the others are refused', () => {
    for (const [name, compress] of FORMATS.slice(1)) {
      const file = openFile(write(compress(buildElf(), 0)));
      expect(file.ok ? '' : describeElfError(file.error)).toMatch(
        new RegExp(`: compressed with ${name}; decompress it first$`),
      );
    }
  });
});

/** Bytes that do not compress. */
function noise(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  let state = 1;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

const XZ_CASE = fileURLToPath(
  new URL('../../../shared/cases/xz-refused/f3.elf.xz', import.meta.url),
);

it.skipIf(!existsSync(XZ_CASE))('reads what xz itself wrote (../shared has it)', async () => {
  const path = XZ_CASE;
  expect((await make(path)).problem).toBe('');
  expect(loadElf(path).ok).toBe(true);
  removeCopies();
});
