import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { addressFromBigInt } from '../../base/address.js';
import { describeElfError } from '../../elf/error.js';
import { type ElfImage, loadElf, parseElf } from '../../elf/image.js';
import { EXHAUSTIVE } from '../exhaustive.js';
import { buildElf, programHeaderAt, quads, TEXT_ADDRESS, words } from './elf-builder.js';

const directory = mkdtempSync(join(tmpdir(), 'kunwind-elf-'));
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

function write(name: string, bytes: Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, bytes);
  return path;
}

function parsed(bytes: Uint8Array): ElfImage {
  const image = parseElf('a.elf', bytes);
  if (!image.ok) throw new Error(describeElfError(image.error));
  return image.value;
}

/** The one line for bytes that must be refused. */
function message(bytes: Uint8Array): string {
  const image = parseElf('a.elf', bytes);
  if (image.ok) throw new Error('the file was accepted');
  const line = describeElfError(image.error);
  expect(line).not.toContain('\n');
  return line;
}

function patched(change: (file: Buffer) => void, file = buildElf()): Buffer {
  change(file);
  return file;
}

describe('loadElf', () => {
  it('reads segments, sections and symbols with exact addresses', () => {
    const code = words(0xd503201f, 0xd65f03c0);
    const image = parsed(
      buildElf({
        segments: [
          { address: 0xffff800080020008n, data: quads(1n), flags: 6, memorySize: 64n },
          { address: TEXT_ADDRESS, data: code, flags: 5 },
        ],
        sections: [
          { name: '.text', type: 1, flags: 6, address: TEXT_ADDRESS, data: code },
          { name: '.bss', type: 8, flags: 3, address: 0xffff800080020010n, size: 1 << 20 },
        ],
        symbols: [
          { name: 'f', value: TEXT_ADDRESS + 4n, size: 4 },
          { name: 'local_object', value: TEXT_ADDRESS, size: 4, info: 0x01 },
          { name: 'weak_label', value: TEXT_ADDRESS, info: 0x20 },
          { name: 'constant', value: 0x138n, info: 0x10, section: 0xfff1 },
          { name: 'undefined', value: 0n, section: 0 },
          { name: 'file.c', value: 0n, info: 0x04, section: 0xfff1 },
          { name: 'of_file', value: TEXT_ADDRESS, info: 0x00 },
          { name: 'of_no_file', value: TEXT_ADDRESS },
          { name: 'not_exact', value: 0x7fffffffffffffffn, section: 0xfff1 },
        ],
      }),
    );
    expect(image.type).toBe('exec');
    expect(image.entry).toBe(addressFromBigInt(0xffff800080020008n));
    expect(image.stripped).toBe(false);
    const text = addressFromBigInt(TEXT_ADDRESS);
    expect(image.segments.map((s) => [s.address, s.memorySize, s.data.length])).toEqual([
      [text, 8, 8],
      [text + 0x10008, 64, 8],
    ]);
    expect(image.segments.map((s) => [s.readable, s.writable, s.executable])).toEqual([
      [true, false, true],
      [true, true, false],
    ]);
    expect(image.section('.text')).toMatchObject({ address: text, size: 8, type: 1, flags: 6 });
    expect([...(image.section('.text')?.data ?? [])]).toEqual([...code]);
    expect(image.section('.bss')).toMatchObject({ size: 1 << 20, data: Buffer.alloc(0) });
    expect(image.section('.none')).toBeUndefined();
    const rest = { global: true, weak: false, absolute: false, section: 1, file: '' };
    const other = { ...rest, size: 0, kind: 'other' };
    expect(image.symbols).toEqual([
      { ...rest, name: 'f', address: text + 4, size: 4, kind: 'function' },
      { ...rest, name: 'local_object', address: text, size: 4, kind: 'object', global: false },
      { ...other, name: 'weak_label', address: text, weak: true },
      { ...other, name: 'constant', address: 0x138, absolute: true, section: 0 },
      { ...other, name: 'of_file', address: text, global: false, file: 'file.c' },
      { ...other, name: 'of_no_file', address: text, kind: 'function' },
    ]);
  });

  it('reads gzip whatever the name, and reports a stripped file', () => {
    const path = write('plain-name', gzipSync(buildElf()));
    const image = loadElf(path);
    expect(image).toMatchObject({ ok: true, value: { path, stripped: true, symbols: [] } });
  });

  it('finds .sframe by type, by name and by segment', () => {
    const data = Buffer.alloc(32, 1);
    const at = { address: TEXT_ADDRESS, data, flags: 2 };
    const segment = { address: TEXT_ADDRESS, data };
    const typed = buildElf({ sections: [{ name: 'x', type: 0x6ffffff4, ...at }] });
    const named = buildElf({ sections: [{ name: '.sframe', type: 1, ...at }] });
    const headerless = buildElf({
      segments: [segment, { ...segment, type: 0x6474e554 }],
      noSections: true,
    });
    for (const file of [typed, named, headerless]) {
      const { sframe } = parsed(file);
      expect(sframe).toHaveLength(1);
      expect([...(sframe[0]?.data ?? [])]).toEqual([...data]);
      expect(sframe[0]?.address).toBe(addressFromBigInt(TEXT_ADDRESS));
    }
    expect(parsed(buildElf()).sframe).toEqual([]);
    // What objcopy --remove-section leaves: a program header that describes nothing.
    const removed = { type: 0x6474e554, address: TEXT_ADDRESS, data: new Uint8Array(0) };
    expect(parsed(buildElf({ segments: [segment, removed] })).sframe).toEqual([]);
  });
});

describe('a file that cannot be loaded', () => {
  it('cannot be read', () => {
    const missing = loadElf(join(directory, 'missing'));
    expect(missing.ok ? '' : describeElfError(missing.error)).toMatch(/missing: .*no such file$/);
    const folder = loadElf(directory);
    expect(folder.ok ? '' : describeElfError(folder.error)).toMatch(/not a regular file$/);
  });

  it('is corrupt gzip', () => {
    const whole = gzipSync(buildElf());
    const damaged = Buffer.from(whole);
    damaged.fill(0xff, 20, 40);
    for (const [name, bytes] of [
      ['cut.gz', whole.subarray(0, whole.length - 10)],
      ['damaged.gz', damaged],
    ] as const) {
      const image = loadElf(write(name, bytes));
      expect(image.ok ? '' : describeElfError(image.error)).toMatch(/gzip data is corrupt/);
    }
  });

  const at = programHeaderAt(0);
  it.each<[string, Buffer, string]>([
    ['is empty', Buffer.alloc(0), 'not an ELF file: e_ident[EI_MAG] at offset 0x0 is missing'],
    ['is a script', Buffer.from('#!/bin/sh\n'), 'at offset 0x0 is 23 21 2f 62, expected 7f 45'],
    [
      'is 32-bit ARM',
      patched((f) => f.fill(1, 4, 5).fill(40, 18, 19)),
      'a 32-bit ELF file for ARM (32-bit) (e_ident[EI_CLASS] at offset 0x4)',
    ],
    ['is big-endian', patched((f) => f.fill(2, 5, 6)), 'e_ident[EI_DATA] at offset 0x5'],
    ['is for x86-64', buildElf({ machine: 62 }), 'built for x86-64, not AArch64 (e_machine at'],
    ['is for RISC-V', buildElf({ machine: 243 }), 'built for RISC-V, not AArch64'],
    ['is for something', buildElf({ machine: 999 }), 'built for machine 999, not AArch64'],
    ['is an object', buildElf({ type: 1 }), 'relocatable object (e_type at offset 0x10 is ET_REL)'],
    [
      'is a core dump',
      buildElf({ type: 4 }),
      'a core dump (e_type at offset 0x10 is ET_CORE); the',
    ],
    ['is of no type', buildElf({ type: 0 }), 'neither an executable nor a shared object: e_type'],
    ['has no segment', buildElf({ segments: [] }), 'no PT_LOAD segment (e_phnum at offset 0x38)'],
    [
      'has only PT_NOTE',
      buildElf({ segments: [{ type: 4, address: 0n, data: words(1) }] }),
      'no PT_LOAD segment',
    ],
    [
      'has a segment of 2^60 bytes',
      patched((f) => f.writeBigUInt64LE(1n << 60n, at + 40)),
      'p_memsz[0] at offset 0x68 is 1152921504606846976 bytes, more than the limit of 1073741824',
    ],
    [
      'has segment data beyond its end',
      patched((f) => f.writeBigUInt64LE(1n << 40n, at + 32)),
      'truncated: the data of program header 0 at offset 0x78 needs 1099511627776 bytes',
    ],
    [
      'has less memory than data',
      patched((f) => f.writeBigUInt64LE(1n, at + 40)),
      'p_memsz[0] at offset 0x68: is 1, less than p_filesz 4',
    ],
    [
      'has a segment at no address',
      patched((f) => f.writeBigUInt64LE(1n << 62n, at + 16)),
      'p_vaddr[0] at offset 0x50: 0x4000000000000000 is not a virtual address',
    ],
    [
      'has a segment that wraps',
      patched((f) => f.writeBigUInt64LE((1n << 64n) - 2n, at + 16)),
      'p_vaddr[0] at offset 0x50: the segment runs over the end of the address space',
    ],
    [
      'has overlapping segments',
      buildElf({
        segments: [
          { address: TEXT_ADDRESS, data: words(1, 2) },
          { address: TEXT_ADDRESS + 4n, data: words(3) },
        ],
      }),
      'PT_LOAD segments overlap',
    ],
    ['has odd program headers', patched((f) => f.fill(1, 54, 55)), 'e_phentsize at offset 0x36'],
    [
      'has a section header table beyond its end',
      patched((f) => f.writeBigUInt64LE(1n << 33n, 40)),
      'truncated: section header table at offset 0x200000000 needs 192 bytes',
    ],
    ['has no name table', patched((f) => f.writeUInt16LE(99, 62)), 'e_shstrndx at offset 0x3e'],
    [
      'has names in code',
      patched((f) => f.writeUInt16LE(1, 62)),
      'section 1 is not a string table',
    ],
    [
      'has symbols without names',
      buildElf({ symbols: [], sections: [{ name: '.symtab', type: 2 }] }),
      'symbol table .symtab at offset 0x80: sh_link 0 is not a string table',
    ],
  ])('%s', (_, file, expected) => {
    expect(message(file)).toContain(expected);
  });

  it('has a symbol whose name runs out of the table', () => {
    const file = buildElf({ symbols: [{ name: 'UNIQUE', value: TEXT_ADDRESS }] });
    file.writeUInt32LE(0x10000, file.indexOf(quads(TEXT_ADDRESS, 0n)) - 8);
    expect(message(file)).toMatch(/st_name\[1\] at offset 0x[0-9a-f]+: the name runs past the end/);
  });
});

describe('hostile input', () => {
  const file = buildElf({
    type: 3,
    segments: [
      { address: TEXT_ADDRESS, data: words(0xd503201f, 0xd65f03c0) },
      { address: TEXT_ADDRESS + 0x10000n, data: quads(0n, 0n), flags: 6, memorySize: 32n },
      { address: TEXT_ADDRESS, data: words(1), type: 0x6474e554 },
    ],
    sections: [
      { name: '.text', type: 1, flags: 6, address: TEXT_ADDRESS, data: words(0xd65f03c0) },
      { name: '.rela.dyn', type: 4, flags: 2, data: quads(TEXT_ADDRESS + 0x10000n, 1027n, 5n) },
      { name: '.relr.dyn', type: 19, flags: 2, data: quads(TEXT_ADDRESS + 0x10008n, 3n) },
    ],
    symbols: [
      { name: 'f', value: TEXT_ADDRESS, size: 8 },
      { name: 'constant', value: 16n, info: 0x10, section: 0xfff1 },
    ],
  });

  /** Everything that reads bytes of the file; must not throw. */
  function use(bytes: Uint8Array): boolean {
    const image = parseElf('a.elf', bytes);
    if (!image.ok) {
      expect(describeElfError(image.error)).toMatch(/^a\.elf: [^\n]+$/);
      return false;
    }
    const memory = image.value.applyRelocations(0x1000);
    if (!memory.ok) expect(describeElfError(memory.error)).toMatch(/^a\.elf: [^\n]+$/);
    return memory.ok;
  }

  it('is refused at every length but the whole', () => {
    expect(use(file)).toBe(true);
    for (let length = 0; length < file.length; length++) {
      const image = parseElf('a.elf', file.subarray(0, length));
      expect(image.ok, `${length} of ${file.length} bytes`).toBe(false);
      if (!image.ok) expect(image.error.kind).toBe(length === 0 ? 'not-elf' : 'truncated');
    }
  });

  it('never makes the loader throw, whichever bytes change', () => {
    let state = 0x2545f491;
    const random = (limit: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * limit);
    };
    const values = [0, 1, 0x7f, 0x80, 0xff];
    let accepted = 0;
    const cases = EXHAUSTIVE ? 6000 : 1000;
    for (let i = 0; i < cases; i++) {
      const mutant = Buffer.from(file);
      for (let change = random(4); change >= 0; change--) {
        mutant[random(mutant.length)] = values[random(values.length + 1)] ?? random(256);
      }
      // The limit on memory is 1 GiB, which a mutant may well ask for; it costs nothing
      // but time here, and parsing alone must already have refused anything larger.
      if (use(mutant)) accepted++;
    }
    expect(accepted).toBeGreaterThan(0);
    expect(accepted).toBeLessThan(cases);
  });
});
