/**
 * Sizes that a header claims and a sparse file has: nothing is allocated or looped over because a
 * number says so, and what is too large is one line.
 */
import { ftruncateSync, mkdtempSync, closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { describeElfError } from '../../elf/error.js';
import { readElfFile } from '../../elf/file.js';
import { loadElf } from '../../elf/image.js';
import { buildElf, type BuilderSection, TEXT_ADDRESS, words } from './elf-builder.js';

const folder = mkdtempSync(join(tmpdir(), 'kunwind-claims-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const code = words(0xd503201f, 0xd65f03c0);
const at = { flags: 2, address: TEXT_ADDRESS, data: code };
const SECTIONS: readonly BuilderSection[] = [
  { name: '.text', type: 1, ...at, flags: 6 },
  { name: '.sframe', type: 0x6ffffff4, ...at },
  { name: '.eh_frame', type: 1, ...at },
  { name: '.debug_frame', type: 1, data: code },
  { name: '.BTF', type: 1, data: code },
  { name: '.altinstructions', type: 1, ...at },
  { name: '.plt', type: 1, ...at },
  { name: '.rela.dyn', type: 4, ...at },
  { name: '.relr.dyn', type: 19, ...at },
  { name: '.note', type: 7, ...at },
  { name: '.comment', type: 1, data: code },
  { name: '.debug_info', type: 1, data: code },
];
/** With those that the builder adds. */
const NAMES = [...SECTIONS.map(({ name }) => name), '.symtab', '.strtab', '.shstrtab'];

function build(): Buffer {
  return buildElf({
    segments: [
      { address: TEXT_ADDRESS, data: code },
      { address: TEXT_ADDRESS, data: code, type: 0x6474e554 },
    ],
    sections: SECTIONS,
    symbols: [{ name: 'f', value: TEXT_ADDRESS, size: 8 }],
  });
}

/** The file with a hole after it, so that every claim up to `size` is true. */
function writeSparse(bytes: Buffer, size: number): string {
  const path = join(folder, 'sparse');
  const descriptor = openSync(path, 'w');
  writeSync(descriptor, bytes);
  ftruncateSync(descriptor, size);
  closeSync(descriptor);
  return path;
}

function sectionHeader(file: Buffer, name: string): number {
  return Number(file.readBigUInt64LE(40)) + 64 * (1 + NAMES.indexOf(name));
}

/** What both loaders say. */
function messages(path: string): string[] {
  return [loadElf(path), readElfFile(path)].map((elf) =>
    elf.ok ? 'read' : describeElfError(elf.error).replace(path, 'FILE'),
  );
}

const HUGE = 2 ** 33;

describe.each([HUGE, 2 ** 32 - 24, 2 ** 30 + 24 * 2 ** 20])('sh_size %i', (size) => {
  it.each(NAMES.filter((name) => name !== '.debug_info'))('of %s is one line', (name) => {
    const file = build();
    // A multiple of a symbol's size, which is what is looked at first.
    file.writeBigUInt64LE(BigInt(Math.floor(size / 24) * 24), sectionHeader(file, name) + 32);
    const before = process.memoryUsage().arrayBuffers;
    for (const message of messages(writeSparse(file, HUGE + 2 ** 24))) {
      expect(message).toMatch(
        /^FILE: sh_size\[\d+\] at offset 0x\w+ is \d+ bytes[^,]*, more than the limit of \d+ bytes$/,
      );
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24);
  });

  it('of .debug_info is no reason to refuse the file', () => {
    const file = build();
    file.writeBigUInt64LE(BigInt(size), sectionHeader(file, '.debug_info') + 32);
    expect(messages(writeSparse(file, HUGE + 2 ** 24))).toEqual(['read', 'read']);
  });
});

it('many sections that are not too large each are too large together', () => {
  const file = build();
  for (const name of ['.text', '.altinstructions', '.plt']) {
    file.writeBigUInt64LE(BigInt(2 ** 30), sectionHeader(file, name) + 32);
  }
  for (const message of messages(writeSparse(file, HUGE))) {
    expect(message).toMatch(/more than the limit of 2147483648 bytes for all sections$/);
  }
});

describe.each([
  ['PT_LOAD', 0, /^FILE: p_memsz\[0\] at offset 0x68 is 8589934592 bytes, more than/],
  [
    'PT_GNU_SFRAME',
    1,
    /^FILE: p_filesz\[1\] at offset 0x98 is 8589934592 bytes, more than .* SFrame table$/,
  ],
])('%s', (_, index, expected) => {
  it('of 8 GiB is one line', () => {
    const file = build();
    const header = 64 + 56 * index;
    file.writeBigUInt64LE(BigInt(HUGE), header + 32);
    file.writeBigUInt64LE(BigInt(HUGE), header + 40);
    expect(messages(writeSparse(file, HUGE + 2 ** 24))[0]).toMatch(expected);
  });
});
