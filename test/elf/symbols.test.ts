import { describe, expect, it } from 'vitest';
import { addressFromBigInt } from '../../base/address.js';
import { parseElf, type ElfImage } from '../../elf/image.js';
import { SymbolTable } from '../../elf/symbol-table.js';
import { buildElf, TEXT_ADDRESS, type BuilderSymbol } from './elf-builder.js';

const TEXT = addressFromBigInt(TEXT_ADDRESS);
const NOTYPE_LOCAL = 0x00;
const NOTYPE_GLOBAL = 0x10;
const FUNC_LOCAL = 0x02;
const FUNC_WEAK = 0x22;
const OBJECT_GLOBAL = 0x11;

type Row = [name: string, offset: number, size: number, info?: number];

/** .text is 0x100 bytes at `base`, .data 0x40 bytes right after it. */
function image(rows: Row[], extra: BuilderSymbol[] = [], base = TEXT_ADDRESS): ElfImage {
  const symbols = rows.map(([name, offset, size, info = 0x12]) => {
    return { name, value: base + BigInt(offset), size, info };
  });
  const file = buildElf({
    segments: [{ address: base, data: Buffer.alloc(0x140) }],
    sections: [
      { name: '.text', type: 1, flags: 6, address: base, data: Buffer.alloc(0x100) },
      { name: '.data', type: 1, flags: 3, address: base + 0x100n, data: Buffer.alloc(0x40) },
    ],
    symbols: [...symbols, ...extra],
  });
  const parsed = parseElf('a.elf', file);
  if (!parsed.ok) throw new Error('the builder built a bad file');
  return parsed.value;
}

const table = (rows: Row[], extra: BuilderSymbol[] = []) => new SymbolTable([image(rows, extra)]);

describe('SymbolTable.at and format', () => {
  it('knows every byte of a sized function and none outside', () => {
    const symbols = table([['f', 0x10, 0x20]]);
    expect(symbols.format(TEXT + 0x10)).toBe('f+0x0/0x20');
    expect(symbols.format(TEXT + 0x2f)).toBe('f+0x1f/0x20');
    expect(symbols.format(TEXT + 0x30)).toBe('ffff800080010030');
    expect(symbols.at(TEXT + 0xf)).toBeUndefined();
    expect(symbols.at(0)).toBeUndefined();
    expect(symbols.at(NaN)).toBeUndefined();
  });

  it('puts the return address of a call that never returns into the caller', () => {
    const symbols = table([
      ['caller', 0x10, 0x20],
      ['next', 0x30, 0x10],
    ]);
    expect(symbols.format(TEXT + 0x30)).toBe('next+0x0/0x10');
    expect(symbols.formatReturnAddress(TEXT + 0x30)).toBe('caller+0x20/0x20');
    expect(symbols.formatReturnAddress(TEXT + 0x14)).toBe('caller+0x4/0x20');
    expect(symbols.formatReturnAddress(TEXT + 0x80)).toBe('ffff800080010080');
  });

  it('extends a symbol without a size to the next one, or to the end of its section', () => {
    const symbols = table([
      ['entry', 0x10, 0, NOTYPE_GLOBAL],
      ['f', 0x40, 0x10],
      ['last', 0xc0, 0, NOTYPE_GLOBAL],
    ]);
    expect(symbols.format(TEXT + 0x3f)).toBe('entry+0x2f/0x30');
    expect(symbols.format(TEXT + 0xff)).toBe('last+0x3f/0x40');
    expect(symbols.at(TEXT + 0x100)).toBeUndefined();
    expect(symbols.byName('entry')?.size).toBe(0x30);
  });

  it('ignores mapping symbols and local labels, and labels inside a sized function', () => {
    const symbols = table([
      ['f', 0x10, 0x20],
      ['$x', 0x10, 0, NOTYPE_LOCAL],
      ['$d.7', 0x18, 0, NOTYPE_LOCAL],
      ['__pi_$x', 0x1c, 0, NOTYPE_LOCAL],
      ['.L4', 0x20, 0, NOTYPE_LOCAL],
      ['label', 0x24, 0, NOTYPE_GLOBAL],
    ]);
    expect(symbols.format(TEXT + 0x2c)).toBe('f+0x1c/0x20');
    expect(symbols.byName('$x')).toBeUndefined();
    expect(symbols.byName('label')).toMatchObject({ size: 0, address: TEXT + 0x24 });
    expect([...symbols.functions()].map(({ name }) => name)).toEqual(['f']);
  });

  it('prefers, at one address, what kallsyms prefers', () => {
    const symbols = table([
      ['_text', 0, 0, NOTYPE_GLOBAL],
      ['memcpy', 0, 0x10, FUNC_WEAK],
      ['___memcpy', 0, 0x10],
      ['__memcpy', 0, 0x10],
    ]);
    expect(symbols.format(TEXT + 4)).toBe('__memcpy+0x4/0x10');
    expect(symbols.byName('memcpy')?.address).toBe(TEXT);
    expect(symbols.byName('_text')?.size).toBe(0);
  });

  it('answers with the innermost of nested symbols', () => {
    const symbols = table([
      ['outer', 0, 0x80],
      ['first', 0x10, 0x10],
      ['second', 0x40, 0x10],
    ]);
    const names = [0x8, 0x10, 0x20, 0x48, 0x60, 0x80].map((at) => symbols.at(TEXT + at));
    const expected = ['outer', 'first', 'outer', 'second', 'outer', undefined];
    expect(names.map((place) => place?.symbol.name)).toEqual(expected);
  });

  it('cuts a nonsensical size at the end of the section', () => {
    const symbols = table([['f', 0x10, 2 ** 50]]);
    expect(symbols.format(TEXT + 0x10)).toBe('f+0x0/0xf0');
    expect(symbols.at(TEXT + 0x100)).toBeUndefined();
  });

  it('finds absolute symbols by name only', () => {
    const constant = { name: 'S_PC', value: 256n, section: 0xfff1, info: NOTYPE_GLOBAL };
    const symbols = table([['f', 0, 4]], [constant]);
    expect(symbols.byName('S_PC')?.address).toBe(256);
    expect(symbols.at(256)).toBeUndefined();
  });

  it('lists code, not data, in functions()', () => {
    const symbols = table([
      ['object', 0x100, 8, OBJECT_GLOBAL],
      ['asm', 0x40, 0, NOTYPE_GLOBAL],
      ['f', 0, 0x40],
    ]);
    expect([...symbols.functions()].map(({ name }) => name)).toEqual(['f', 'asm']);
    expect(symbols.format(TEXT + 0x104)).toBe('object+0x4/0x8');
  });
});

describe('SymbolTable over several images', () => {
  it('prefers globals, then earlier images', () => {
    const kernel = image([
      ['same', 0, 4],
      ['static', 8, 4, FUNC_LOCAL],
    ]);
    const moduleBase = TEXT_ADDRESS + 0x100000n;
    const scenario = image(
      [
        ['same', 0, 4],
        ['static', 8, 4],
        ['own', 16, 4],
      ],
      [],
      moduleBase,
    );
    const symbols = new SymbolTable([kernel, scenario]);
    expect(symbols.byName('same')?.address).toBe(TEXT);
    expect(symbols.byName('static')?.address).toBe(TEXT + 0x100008);
    expect(symbols.format(TEXT + 0x100010)).toBe('own+0x0/0x4');
    expect(symbols.format(TEXT)).toBe('same+0x0/0x4');
    expect(symbols.at(TEXT + 0x1000)).toBeUndefined();
  });

  it('is empty without images', () => {
    const symbols = new SymbolTable([]);
    expect(symbols.byName('f')).toBeUndefined();
    expect(symbols.format(-1)).toBe('ffffffffffffffff');
    expect([...symbols.functions()]).toEqual([]);
  });
});

describe('SymbolTable.suggestions', () => {
  const symbols = table([
    ['return_to_handler', 0, 4],
    ['ftrace_return_to_handler', 4, 4],
    ['call_on_irq_stack', 8, 4],
    ['el1h_64_irq', 12, 4],
    ['memcpy', 16, 4],
    // Records about a symbol, and a mapping symbol that objcopy has made global.
    ['__ksymtab_memcpy', 20, 4],
    ['__kcrctab_memcpy', 24, 4],
    ['__export_symbol_memcpy', 28, 4],
    ['$d', 32, 4],
  ]);
  it.each([
    ['retrun_to_handler', ['return_to_handler']],
    ['return_to_handler', ['return_to_handler', 'ftrace_return_to_handler']],
    ['el1h_irq', ['el1h_64_irq']],
    ['memcopy', ['memcpy']],
    ['ksymtab_memcpy', []],
    ['d', []],
    ['completely_different', []],
    ['', []],
  ])('%s', (name, expected) => {
    expect(symbols.suggestions(name)).toEqual(expected);
  });
});
