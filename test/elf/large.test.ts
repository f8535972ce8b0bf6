import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readElfFile } from '../../elf/file.js';
import { loadElf } from '../../elf/image.js';
import { buildElf, words } from './elf-builder.js';

const folder = mkdtempSync(join(tmpdir(), 'kunwind-large-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const DEBUG_BYTES = 600 * 2 ** 20;
const ADDRESS = 0xffff800080000000n;
const DEBUG_SECTION = 2;

/** An ELF whose `.debug_info` is a hole of so many bytes, after everything else. */
function writeLarge(path: string, debugBytes: number): void {
  const text = words(0xd503201f, 0xd65f03c0);
  const file = buildElf({
    type: 2,
    segments: [{ address: ADDRESS, data: text, flags: 5 }],
    sections: [
      { name: '.text', type: 1, flags: 6, address: ADDRESS, data: text },
      { name: '.debug_info', type: 1, flags: 0, data: new Uint8Array(0) },
    ],
    symbols: [{ name: 'vectors', value: ADDRESS, size: 8 }],
  });
  const header = Number(file.readBigUInt64LE(40)) + 64 * DEBUG_SECTION;
  file.writeBigUInt64LE(BigInt(file.length), header + 24);
  file.writeBigUInt64LE(BigInt(debugBytes), header + 32);
  const descriptor = openSync(path, 'w');
  writeSync(descriptor, file);
  ftruncateSync(descriptor, file.length + debugBytes);
  closeSync(descriptor);
}

it('a file of 600 MiB is loaded without reading it', () => {
  const path = join(folder, 'vmlinux');
  writeLarge(path, DEBUG_BYTES);
  const before = process.memoryUsage().arrayBuffers;
  const image = loadElf(path);
  if (!image.ok) throw new Error(JSON.stringify(image.error));
  const loaded = image.value.applyRelocations();
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24);
  expect(image.value.section('.debug_info')?.size).toBe(DEBUG_BYTES);
  expect(image.value.symbols.map(({ name }) => name)).toEqual(['vectors']);
  expect(loaded.ok && loaded.value[0]?.data.length).toBe(8);
});

it('a file of 9 GiB is inspected without reading it', () => {
  const path = join(folder, 'inspected');
  const size = 9 * 2 ** 30;
  writeLarge(path, size);
  const before = process.memoryUsage().arrayBuffers;
  const elf = readElfFile(path);
  if (!elf.ok) throw new Error(JSON.stringify(elf.error));
  expect(elf.value.section('.debug_info')?.size).toBe(size);
  expect(elf.value.section('.text')?.data.length).toBe(8);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24);
});
