import { describe, expect, it } from 'vitest';
import { readDwarf, tablesOf } from '../../tables/read-tables.js';
import { fileStat, sectionStat } from '../../tables/stat.js';
import { decodeSFrame } from '../../unwinder/sframe/decode.js';
import { fixture } from '../fixture-objects.js';
import { encodeSFrame, type SectionSpec } from '../unwinder/sframe-encoder.js';
import { samples } from '../unwinder/sframe-samples.js';

function stat(spec: SectionSpec) {
  const section = decodeSFrame(encodeSFrame(spec), spec.address);
  if (!section.ok) throw new Error(section.error.kind);
  return sectionStat('.sframe', section.value);
}

describe('statistics of a table', () => {
  it.each(samples)('$name: the parts are the whole', ({ spec }) => {
    const { bytes, functions, rows } = stat(spec);
    const { total, ...parts } = bytes;
    expect(total).toBe(encodeSFrame(spec).length);
    expect(Object.values(parts).reduce((sum, part) => sum + part, 0)).toBe(total);
    // The encoder's own gaps.
    expect(parts.unused).toBe(2 * (spec.gap ?? 0));
    const words = spec.functions.flatMap((one) => one.rows);
    expect(rows.count).toBe(words.length);
    expect(functions.count).toBe(spec.functions.length);
    const data = words.reduce((sum, row) => sum + row.words.length * (row.wordSize ?? 1), 0);
    expect(parts.rowData).toBe(data);
  });

  it('finds what could be smaller', () => {
    const rows = [
      { start: 0, words: [0] },
      { start: 4, words: [0] },
      { start: 8, wordSize: 2 as const, words: [32, -24, -32] },
    ];
    const { avoidable } = stat({
      version: 3,
      flags: 4,
      address: 0,
      functions: [
        { start: 0x100, size: 16, startSize: 2, rows },
        { start: 0x200, size: 16, startSize: 2, rows },
        { start: 0x300, size: 64, repSize: 16, rows: [{ start: 0, words: [16] }] },
      ],
    });
    expect(avoidable).toEqual({
      redundantRows: 2,
      redundantRowBytes: 8,
      wideStartBytes: 6,
      wideDataBytes: 6,
      maskBytes: 3,
      duplicateRowLists: 1,
      // Three starts of two bytes, three info bytes, one word and one word, three of two bytes.
      duplicateRowBytes: 17,
    });
  });

  it('compares with .eh_frame, and counts what rows say', () => {
    const tables = tablesOf('v3', fixture('frames-v3.o'));
    if (!tables.ok) throw new Error(tables.error);
    const dwarf = readDwarf(tables.value.elf);
    const result = fileStat(tables.value, dwarf.ok ? dwarf.value : []);
    expect(result.dwarf).toMatchObject([{ name: '.eh_frame', functions: 5 }]);
    const [section] = result.sections;
    expect(section?.functions.text).toBe(result.text);
    expect(section?.rows.cfaBase).toEqual({ sp: 22, fp: 1 });
    expect(section?.functions.rowsPerFunction).toMatchObject({ min: 1, median: 5, max: 6 });
  });
});
