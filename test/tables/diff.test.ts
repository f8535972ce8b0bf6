import { describe, expect, it } from 'vitest';
import { diffTables, isEqual } from '../../tables/diff.js';
import { tablesOf, type FileTables } from '../../tables/read-tables.js';
import { buildElf, type BuilderSymbol } from '../elf/elf-builder.js';
import { fixture } from '../fixture-objects.js';
import { encodeSFrame, type FunctionSpec, type RowSpec } from '../unwinder/sframe-encoder.js';

const TEXT = 0x10000;
const LEAF: RowSpec = { start: 0, words: [0] };
const FRAME: RowSpec = { start: 8, words: [32, -24, -32] };

/** Functions that follow each other from `base`, each 16 bytes; version 2 where asked. */
function file(
  base: number,
  functions: readonly (Partial<FunctionSpec> & { name?: string; file?: string })[],
  version: 2 | 3 = 3,
): FileTables {
  const placed = functions.map((one, i) => {
    return { size: 16, rows: [LEAF], ...one, start: base + 16 * i };
  });
  const symbols = placed.flatMap(({ name, file: source, start }): BuilderSymbol[] => {
    if (name === undefined) return [];
    const named = { name, value: BigInt(start), size: 16, section: 1 };
    if (source === undefined) return [named];
    return [
      { name: source, value: 0n, info: 4, section: 0xfff1 },
      { ...named, info: 2 },
    ];
  });
  const data = encodeSFrame({ version, flags: 4, address: 0x8000, functions: placed });
  const text = new Uint8Array(16 * functions.length);
  const elf = buildElf({
    sections: [
      { name: '.text', type: 1, flags: 6, address: BigInt(base), data: text },
      { name: '.sframe', type: 0x6ffffff4, flags: 2, address: 0x8000n, data },
    ],
    symbols,
  });
  const tables = tablesOf('input', elf);
  if (!tables.ok) throw new Error(tables.error);
  return tables.value;
}

describe('the difference of two tables', () => {
  it('is none where only addresses, versions and encodings differ', () => {
    const a = file(TEXT, [{ name: 'one', rows: [LEAF, FRAME] }, { name: 'two' }]);
    const wide: RowSpec = { ...FRAME, wordSize: 4 };
    const repeated: RowSpec[] = [LEAF, { ...LEAF, start: 4 }, wide, { ...wide, start: 12 }];
    const b = file(
      TEXT + 0x400,
      [{ name: 'two' }, { name: 'one', startSize: 4, rows: repeated }],
      2,
    );
    const diff = diffTables(a, b);
    expect(diff).toEqual({ onlyA: [], onlyB: [], changed: [], equal: 2 });
    expect(isEqual(diff)).toBe(true);
  });

  it('names the ranges whose rule differs', () => {
    const a = file(TEXT, [{ name: 'one', rows: [LEAF, FRAME] }]);
    const b = file(TEXT, [{ name: 'one', rows: [LEAF, { ...FRAME, start: 4, mangled: true }] }]);
    const diff = diffTables(a, b);
    expect(diff.changed).toEqual([
      {
        name: 'one',
        file: '',
        sizeA: 16,
        sizeB: 16,
        changes: [
          {
            from: 4,
            to: 8,
            a: 'CFA=SP+0 RA=x30 FP=x29',
            b: 'CFA=SP+32 RA=*(CFA-24) FP=*(CFA-32) signed-A',
          },
          {
            from: 8,
            to: 16,
            a: 'CFA=SP+32 RA=*(CFA-24) FP=*(CFA-32)',
            b: 'CFA=SP+32 RA=*(CFA-24) FP=*(CFA-32) signed-A',
          },
        ],
      },
    ]);
    expect(isEqual(diff)).toBe(false);
  });

  it('tells local functions of one name apart by file, then by order', () => {
    const rows = [LEAF, FRAME];
    const a = file(TEXT, [
      { name: 'init', file: 'a.c' },
      { name: 'init', file: 'b.c', rows },
      { name: 'init', file: 'b.c' },
    ]);
    const b = file(TEXT, [
      { name: 'init', file: 'b.c', rows },
      { name: 'init', file: 'b.c' },
      { name: 'init', file: 'a.c' },
    ]);
    expect(diffTables(a, b)).toMatchObject({ equal: 3, changed: [], onlyA: [], onlyB: [] });
    const c = file(TEXT, [{ name: 'init', file: 'b.c' }]);
    expect(diffTables(a, c)).toMatchObject({
      equal: 0,
      changed: [{ name: 'init', file: 'b.c' }],
      onlyA: [{ file: 'a.c' }, { file: 'b.c' }],
    });
  });

  it('matches by address what has no name, and by the symbol inside what starts before it', () => {
    const a = file(TEXT, [{}, { size: 32 }, { name: 'late' }]);
    expect(diffTables(a, file(TEXT, [{}])).onlyA.map(({ name }) => name)).toEqual([
      'late-0x10',
      'late',
    ]);
  });

  it('of V1 and V3 of one source lists functions, not encodings', () => {
    const tables = ['frames-gcc12-v1.o', 'frames-v3.o'].map((name) =>
      tablesOf(name, fixture(name)),
    );
    const [a, b] = tables.map((one) => (one.ok ? one.value : undefined));
    if (a === undefined || b === undefined) throw new Error('cannot be read');
    const diff = diffTables(a, b);
    expect([...diff.onlyA, ...diff.onlyB]).toEqual([]);
    expect(diff.equal + diff.changed.length).toBe(5);
    expect(diff.changed.map(({ name }) => name)).not.toContain('leaf');
  });
});
