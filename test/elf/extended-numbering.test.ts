/** Numbers that do not fit into the ELF header (gABI chapter 4): section header 0 has them. */
import { describe, expect, it } from 'vitest';
import { describeElfError } from '../../elf/error.js';
import { parseElfFile } from '../../elf/file.js';
import { parseElf } from '../../elf/image.js';
import { coverage } from '../../tables/coverage.js';
import { tablesOf } from '../../tables/read-tables.js';
import { buildElf, type BuilderSection, TEXT_ADDRESS, words } from './elf-builder.js';

const NOP = 0xd503201f;

/** As -ffunction-sections writes it: a section for each function, of one instruction. */
const manySections = (count: number): Buffer => {
  const one = words(NOP);
  const sections = Array.from({ length: count }, (_, i): BuilderSection => {
    return { name: `.text.f${i}`, type: 1, flags: 6, data: one };
  });
  return buildElf({
    type: 1,
    segments: [],
    sections,
    symbols: [
      { name: 'low', value: 0n, size: 4, section: 2 },
      { name: 'constant', value: 7n, info: 0x10, section: 0xfff1 },
      { name: 'common', value: 8n, section: 0xfff2 },
      { name: 'reserved', value: 0n, size: 4, section: 0xff01 },
      { name: 'high', value: 0n, size: 4, largeSection: 0xff01 },
    ],
  });
};

describe('more than 65,280 sections', () => {
  const file = manySections(66_000);

  it('are all read, with the names and symbols in them', () => {
    const elf = parseElfFile('a.o', file);
    if (!elf.ok) throw new Error(describeElfError(elf.error));
    const { sections, symbols } = elf.value;
    expect(sections).toHaveLength(66_005);
    expect(sections[0xff01]?.name).toBe('.text.f65280');
    expect(symbols.map(({ name, section }) => [name, section])).toEqual([
      ['low', 2],
      ['constant', 0],
      ['high', 0xff01],
    ]);
    expect(symbols[2]?.address).toBe(sections[0xff01]?.address);
  });

  it('are covered like any others', () => {
    const tables = tablesOf('a.o', file);
    if (!tables.ok) throw new Error(tables.error);
    const { bytes, gaps } = coverage(tables.value, []);
    expect(bytes).toBe(4 * 66_000);
    expect(gaps.map(({ name }) => name)).toEqual(expect.arrayContaining(['low', 'high']));
  });
});

describe('section header 0', () => {
  it('has all three numbers of an image', () => {
    const plain = parseElf('a.elf', buildElf());
    const extended = parseElf('a.elf', buildElf({ extended: true }));
    if (!plain.ok || !extended.ok) throw new Error('not read');
    expect(extended.value.segments).toHaveLength(1);
    expect(extended.value.sections.map(({ name }) => name)).toEqual(
      plain.value.sections.map(({ name }) => name),
    );
    expect(extended.value.segments[0]?.address).toBe(Number(TEXT_ADDRESS - (1n << 64n)));
  });

  const patched = (change: (file: Buffer, zero: number) => void): string => {
    const file = buildElf({ extended: true });
    change(file, Number(file.readBigUInt64LE(40)));
    const image = parseElf('a.elf', file);
    return image.ok ? 'accepted' : describeElfError(image.error);
  };

  it.each<[string, (file: Buffer, zero: number) => void, RegExp]>([
    [
      'without a number',
      (f, at) => f.writeBigUInt64LE(0n, at + 32),
      /^a\.elf: e_shnum at offset 0x3c: is 0, and so is/,
    ],
    [
      'beyond the file',
      (f, at) => f.writeBigUInt64LE(999n, at + 32),
      /^a\.elf: truncated: section header table /,
    ],
    [
      'with 2^62',
      (f, at) => f.writeBigUInt64LE(1n << 62n, at + 32),
      /^a\.elf: section header table [^:]* is 4611686018427388000 entries, more than the limit of 4194304$/,
    ],
    [
      'with names in no section',
      (f, at) => f.writeUInt32LE(70_000, at + 40),
      /^a\.elf: e_shstrndx [^:]*: section 70000 does not exist/,
    ],
    [
      'with 2^32 - 1 segments',
      (f, at) => f.writeUInt32LE(0xffffffff, at + 44),
      /^a\.elf: program header table [^:]* is 4294967295 entries, more than/,
    ],
    [
      'that is not there',
      (f) => f.writeBigUInt64LE(0n, 40),
      /^a\.elf: e_phnum at offset 0x38: is PN_XNUM, but there is no section header 0/,
    ],
    [
      'that is cut',
      (f) => f.writeBigUInt64LE(BigInt(f.length - 8), 40),
      /^a\.elf: truncated: section header table /,
    ],
  ])('%s is refused', (_, change, expected) => {
    expect(patched(change)).toMatch(expected);
  });
});
