import { NOP } from '../../aarch64/encodings.js';
import { describe, expect, it } from 'vitest';
import { coverage, type Coverage } from '../../tables/coverage.js';
import { readDwarf, tablesOf } from '../../tables/read-tables.js';
import { buildElf, type BuilderSection, type BuilderSymbol, words } from '../elf/elf-builder.js';
import { fixture } from '../fixture-objects.js';
import { encodeSFrame } from '../unwinder/sframe-encoder.js';
import { readKernel } from '../unwinder/sframe-readelf.js';

function cover(bytes: Uint8Array): Coverage {
  const tables = tablesOf('input', bytes);
  if (!tables.ok) throw new Error(tables.error);
  const dwarf = readDwarf(tables.value.elf);
  if (!dwarf.ok) throw new Error(dwarf.error);
  return coverage(tables.value, dwarf.value);
}

const RET = 0xd65f03c0;
const FUNC = 0x12;
const LOCAL = 0;
const TEXT = 0x10000;

/** Text at 0x10000; one function of 8 bytes at its start has rows. */
function image(code: number[], symbols: BuilderSymbol[], more: BuilderSection[] = []): Buffer {
  const functions = [{ start: TEXT, size: 8, rows: [{ start: 0, words: [0] }] }];
  const data = encodeSFrame({ version: 3, flags: 4, address: 0x8000, functions });
  return buildElf({
    sections: [
      { name: '.text', type: 1, flags: 6, address: BigInt(TEXT), data: words(RET, RET, ...code) },
      { name: '.sframe', type: 0x6ffffff4, flags: 2, address: 0x8000n, data },
      ...more,
    ],
    symbols: [{ name: 'covered', value: BigInt(TEXT), size: 8, info: FUNC }, ...symbols],
  });
}

const at = (word: number): bigint => BigInt(TEXT + 8 + 4 * word);

describe('text without a row, by reason', () => {
  it.each<[string, Buffer, [string, string, number][]]>([
    [
      'a function symbol',
      image([RET, RET], [{ name: 'asm', value: at(0), size: 8, info: FUNC }]),
      [['function', 'asm', 8]],
    ],
    [
      'a symbol that is no function, and the padding after it',
      image([RET, NOP, 0, NOP], [{ name: 'label', value: at(0), info: LOCAL }]),
      [
        ['code', 'label', 4],
        ['padding', '0x1000c', 12],
      ],
    ],
    [
      'NOPs inside a sized symbol are not padding',
      image([NOP, NOP], [{ name: 'nops', value: at(0), size: 8, info: FUNC }]),
      [['function', 'nops', 8]],
    ],
    [
      'data by its mapping symbol',
      image(
        [RET, 0x1234, RET],
        [
          { name: 'asm', value: at(0), size: 12, info: FUNC },
          { name: '$d', value: at(1), info: LOCAL },
          { name: '$x', value: at(2), info: LOCAL },
        ],
      ),
      [
        ['function', 'asm', 8],
        ['data', 'asm', 4],
      ],
    ],
    [
      'a veneer',
      image([RET], [{ name: '__far_veneer', value: at(0), size: 4, info: 2 }]),
      [['veneer', '__far_veneer', 4]],
    ],
    ['code that nothing names', image([NOP, RET], []), [['unnamed', '0x10008', 8]]],
    [
      'a replacement of an alternative',
      image(
        [],
        [],
        [
          { name: '.text.alt', type: 1, flags: 6, address: 0x20000n, data: words(NOP, RET) },
          {
            name: '.altinstructions',
            type: 1,
            flags: 2,
            address: 0x30000n,
            data: words(0, 0x20000 - 0x30004, 0x08080000),
          },
        ],
      ),
      [['alternative', '0x20000', 8]],
    ],
    [
      'a PLT',
      image([], [], [{ name: '.plt', type: 1, flags: 6, address: 0x20000n, data: words(RET) }]),
      [['plt', '0x20000', 4]],
    ],
    [
      'vectors, where they are aligned as such',
      image(
        [],
        [
          { name: 'vectors', value: 0x20000n, size: 4, info: FUNC, section: 3 },
          { name: 'bit_vector', value: 0x20004n, size: 4, info: FUNC, section: 3 },
        ],
        [{ name: '.v', type: 1, flags: 6, address: 0x20000n, data: words(RET, RET) }],
      ),
      [
        ['function', 'bit_vector', 4],
        ['vectors', 'vectors', 4],
      ],
    ],
  ])('%s', (_, bytes, expected) => {
    const result = cover(bytes);
    expect(result.gaps.map(({ reason, name, bytes: size }) => [reason, name, size])).toEqual(
      expected,
    );
    expect(result.covered).toBe(8);
    const missing = result.reasons.reduce((sum, reason) => sum + reason.bytes, 0);
    expect(result.covered + missing).toBe(result.bytes);
  });

  it('lists called global functions first, larger ones before smaller', () => {
    const branch = (from: number, to: number): number =>
      (0x94000000 | ((to - from) & 0x3ffffff)) >>> 0;
    const code = [RET, RET, RET, branch(3, 1), branch(4, 0), branch(5, 2), RET, RET];
    const result = cover(
      image(code, [
        { name: 'local_called', value: at(0), size: 4, info: 2 },
        { name: 'global_called', value: at(1), size: 4, info: FUNC },
        { name: 'larger_called', value: at(2), size: 16, info: FUNC },
        { name: 'never_called', value: at(6), size: 8, info: FUNC },
      ]),
    );
    expect(result.gaps.map(({ name, callers }) => `${name} ${callers}`)).toEqual([
      'larger_called 1',
      'global_called 1',
      'local_called 1',
      'never_called 0',
    ]);
    expect([result.functions, result.functionsCovered]).toEqual([5, 1]);
  });

  it('of an object: branches are relocations', () => {
    const result = cover(fixture('shapes-v3.o'));
    expect(result.gaps[0]).toMatchObject({ name: 'no_cfi', reason: 'function', callers: 1 });
    expect(result.reasons.map(({ reason, bytes }) => `${reason} ${bytes}`)).toEqual([
      'function 8',
      'code 8',
      'data 8',
      'padding 68',
    ]);
  });

  it('of an object of clang without .sframe: all of it, and that DWARF has rules', () => {
    const result = cover(fixture('frames-clang.o'));
    expect(result).toMatchObject({
      hasSFrame: false,
      covered: 0,
      functionsCovered: 0,
      functions: 5,
    });
    expect(result.gaps.every(({ hasDwarf, reason }) => hasDwarf && reason === 'function')).toBe(
      true,
    );
  });

  const kernel = readKernel('vmlinux-7.3-rc7');
  it.skipIf(kernel === undefined)(
    'of a kernel: the string routines first, and nothing unnamed',
    () => {
      const result = cover(kernel as Buffer);
      expect(result.gaps.slice(0, 12).map(({ name }) => name)).toContain('__arch_copy_to_user');
      expect(result.reasons.map(({ reason }) => reason)).not.toContain('unnamed');
      expect(result.functions - result.functionsCovered).toBeGreaterThan(100);
      expect(result.covered / result.bytes).toBeGreaterThan(0.9);
    },
  );
});

describe('a function with CFI of which the assembler made no FDE', () => {
  /** `.eh_frame` of one function: a CIE without augmentation, and an FDE (LSB, chapter 10.6). */
  const ehFrame = (start: bigint, size: bigint): Uint8Array => {
    const cie = [1, 0, 4, 0x78, 30, 0x0c, 31, 0];
    const fde = Buffer.alloc(24);
    fde.writeUInt32LE(20, 0);
    fde.writeUInt32LE(20, 4);
    fde.writeBigUInt64LE(start, 8);
    fde.writeBigUInt64LE(size, 16);
    return Buffer.concat([words(12, 0), Uint8Array.from(cie), fde, words(0)]);
  };
  const symbols = [
    { name: 'dropped', value: at(0), size: 8, info: FUNC },
    { name: 'bare', value: at(2), size: 8, info: FUNC },
  ];
  const sections = [
    {
      name: '.eh_frame',
      type: 1,
      flags: 2,
      address: 0x9000n,
      data: ehFrame(at(0), 8n),
    },
  ];

  it('has a reason of its own, and is not to be annotated', () => {
    const { gaps, reasons } = cover(image([RET, RET, RET, RET], symbols, sections));
    expect(gaps.map(({ name, reason, hasDwarf }) => [name, reason, hasDwarf])).toEqual([
      ['bare', 'function', false],
      ['dropped', 'no-fde', true],
    ]);
    expect(reasons).toEqual([
      { reason: 'function', bytes: 8, places: 1 },
      { reason: 'no-fde', bytes: 8, places: 1 },
    ]);
  });

  it('is no such thing in a file without any SFrame', () => {
    const file = image([RET, RET, RET, RET], symbols, sections);
    const headers = Number(file.readBigUInt64LE(40));
    file.writeBigUInt64LE(0n, headers + 2 * 64 + 32);
    const { gaps, hasSFrame } = cover(file);
    expect(hasSFrame).toBe(false);
    expect(new Set(gaps.map(({ reason }) => reason))).toEqual(new Set(['function']));
  });
});
