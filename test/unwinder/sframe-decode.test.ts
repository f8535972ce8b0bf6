import { describe, expect, it } from 'vitest';
import { formatRule } from '../../unwinder/rule-text.js';
import { RuleTable } from '../../unwinder/rule-table.js';
import { decodeSFrame } from '../../unwinder/sframe/decode.js';
import { formatSFrameError } from '../../unwinder/sframe/error.js';
import { type SFrameSection } from '../../unwinder/sframe/section.js';
import { type SectionSpec, encodeSFrame } from './sframe-encoder.js';
import { samples } from './sframe-samples.js';

function decode(spec: SectionSpec): SFrameSection {
  const section = decodeSFrame(encodeSFrame(spec), spec.address);
  if (!section.ok) throw new Error(formatSFrameError(section.error));
  return section.value;
}

function ruleTextAt(table: RuleTable, pc: number): string {
  const rule = table.find(pc);
  return rule < 0 ? 'none' : formatRule(table.rule(rule));
}

describe('every version and variant decodes to the expected rules', () => {
  it.each(samples)('$name', ({ spec, expected }) => {
    const table = new RuleTable([decode(spec)]);
    // Twice: the second answer comes from the cache.
    for (let pass = 0; pass < 2; pass++) {
      const actual = expected.map(([pc]) => [pc, ruleTextAt(table, pc)]);
      expect(actual).toEqual(expected);
    }
  });

  it('keeps the header, and the row and function fields', () => {
    const sample = samples.find(({ name }) => name.startsWith('V3: MASK'));
    if (sample === undefined) throw new Error('no such sample');
    const section = decode(sample.spec);
    expect(section.header).toMatchObject({
      version: 3,
      flags: 4,
      abi: 2,
      auxHeaderLength: 5,
      functionCount: 2,
      rowCount: 5,
    });
    expect([...section.functions.start]).toEqual(sample.spec.functions.map((f) => f.start));
    expect([...section.functions.size]).toEqual(sample.spec.functions.map((f) => f.size));
    expect([...section.functions.repSize]).toEqual([0, 16]);
    expect([...section.functions.firstRow]).toEqual([0, 3]);
    expect([...section.rows.start]).toEqual([0, 0xff, 0x1_0001, 4, 12]);
  });

  it('does not see later changes of the bytes it was given', () => {
    const spec: SectionSpec = {
      version: 3,
      address: 0x1000,
      functions: [{ start: 0x400, size: 4, rows: [{ start: 0, words: [16] }] }],
    };
    const bytes = encodeSFrame(spec);
    const section = decodeSFrame(bytes, spec.address);
    bytes.fill(0xff);
    if (!section.ok) throw new Error(formatSFrameError(section.error));
    expect(ruleTextAt(new RuleTable([section.value]), 0x400)).toBe('CFA=SP+16 RA=x30 FP=x29');
  });
});

describe('RuleTable', () => {
  const row = (offset: number): { start: number; words: number[] }[] => [
    { start: 0, words: [offset] },
  ];
  const tableOf = (...specs: SectionSpec[]): RuleTable => new RuleTable(specs.map(decode));

  it('answers -1 without sections, and for any number outside them', () => {
    const empty = new RuleTable([]);
    expect(empty.count).toBe(0);
    expect(empty.find(0)).toBe(-1);
    const table = tableOf({
      version: 3,
      address: 0,
      functions: [{ start: 0x1000, size: 16, rows: row(0) }],
    });
    for (const pc of [0, 0xffc, 0x1010, -0x1000, NaN, Infinity, -Infinity, 2 ** 63, -(2 ** 63)]) {
      expect(table.find(pc)).toBe(-1);
    }
    expect(() => table.rule(1)).toThrow(RangeError);
    expect(() => table.rule(-1)).toThrow(RangeError);
  });

  it('shares one rule between equal rows of several sections', () => {
    const at = (start: number, offset: number): SectionSpec => ({
      version: 3,
      address: start,
      functions: [
        { start: start + 0x1000, size: 16, rows: row(offset) },
        { start: start + 0x2000, size: 16, rows: row(16) },
      ],
    });
    const table = tableOf(at(0, 16), at(0x10_0000, 32), at(-0x10_0000, 16));
    expect(table.count).toBe(2);
    expect(table.find(0x1000)).toBe(table.find(0x2004));
    expect(table.find(0x1000)).toBe(table.find(0x10_2000));
    expect(table.find(0x1000)).toBe(table.find(-0x10_0000 + 0x1000));
    expect(table.cfaOffset[table.find(0x10_1000)]).toBe(32);
  });

  it('keeps apart rules that differ in one field only', () => {
    const one = { start: 0x1000, size: 4, rows: [{ start: 0, words: [16, -8, -16] }] };
    const variants = [
      one,
      { ...one, rows: [{ start: 0, words: [16, -8, -8] }] },
      { ...one, rows: [{ start: 0, words: [16, -16, -16] }] },
      { ...one, rows: [{ start: 0, words: [32, -8, -16] }] },
      { ...one, rows: [{ start: 0, words: [16, -8] }] },
      { ...one, rows: [{ start: 0, words: [16, 0, -16] }] },
      { ...one, rows: [{ start: 0, words: [16] }] },
      { ...one, rows: [{ start: 0, words: [16, -8, -16], base: 'fp' as const }] },
      { ...one, rows: [{ start: 0, words: [16, -8, -16], mangled: true }] },
      { ...one, keyB: true },
      { ...one, signal: true },
      { ...one, rows: [] },
    ].map((spec, i) => ({ ...spec, start: 0x1000 + 16 * i }));
    const table = tableOf({ version: 3, address: 0, functions: variants });
    expect(table.count).toBe(variants.length);
    expect(new Set(variants.map(({ start }) => table.find(start))).size).toBe(variants.length);
  });

  it('sorts, whatever the flag claims', () => {
    const functions = [0x3000, 0x1000, 0x2000].map((start) => ({
      start,
      size: 0x100,
      rows: row(start / 0x100),
    }));
    for (const flags of [0, 1]) {
      const table = tableOf({ version: 3, flags, address: 0, functions });
      for (const { start } of functions) {
        expect(table.cfaOffset[table.find(start + 0xfc)]).toBe(start / 0x100);
        expect(table.find(start + 0x100)).toBe(-1);
      }
    }
  });

  it('lets the function that starts last answer where functions overlap', () => {
    const functions = [
      { start: 0x1000, size: 0x100, rows: row(1) },
      { start: 0x1040, size: 0x10, rows: row(2) },
      { start: 0x1080, size: 0x100, rows: row(3) },
      { start: 0x1080, size: 0x20, rows: row(4) },
    ];
    const table = tableOf({ version: 3, address: 0, functions });
    const offsets = [0x1000, 0x103c, 0x1040, 0x104c, 0x1050, 0x107c, 0x1080, 0x10a0, 0x117c].map(
      (pc) => table.cfaOffset[table.find(pc)],
    );
    expect(offsets).toEqual([1, 1, 2, 2, 1, 1, 4, 3, 3]);
    expect(table.find(0x1180)).toBe(-1);
  });

  it('ignores functions of size 0, even at the address of another', () => {
    const functions = [
      { start: 0x1000, size: 8, rows: row(1) },
      { start: 0x1000, size: 0, rows: row(2) },
      { start: 0x1004, size: 0, rows: row(3) },
      { start: 0x2000, size: 0, rows: row(4) },
    ];
    const table = tableOf({ version: 3, address: 0, functions });
    expect(table.cfaOffset[table.find(0x1000)]).toBe(1);
    expect(table.cfaOffset[table.find(0x1004)]).toBe(1);
    expect(table.find(0x2000)).toBe(-1);
  });

  it('asks the next section when one that spans the PC has no entry', () => {
    const outer: SectionSpec = {
      version: 3,
      address: 0,
      functions: [0x1000, 0x9000].map((start) => ({ start, size: 16, rows: row(1) })),
    };
    const inner: SectionSpec = {
      version: 3,
      address: 0,
      functions: [{ start: 0x5000, size: 16, rows: row(2) }],
    };
    for (const table of [tableOf(outer, inner), tableOf(inner, outer)]) {
      for (let pass = 0; pass < 2; pass++) {
        expect(table.cfaOffset[table.find(0x5000)]).toBe(2);
        expect(table.cfaOffset[table.find(0x9000)]).toBe(1);
        expect(table.find(0x6000)).toBe(-1);
      }
    }
  });

  it('finds functions that start off an instruction boundary, and odd PCs', () => {
    const functions = [
      { start: 0x1002, size: 8, rows: row(1) },
      { start: 0x100a, size: 6, rows: row(2) },
    ];
    const table = tableOf({ version: 3, address: 0, functions });
    const rules = [0x1000, 0x1002, 0x1004, 0x1009, 0x100a, 0x100f, 0x1010].map((pc) => {
      const rule = table.find(pc);
      return rule < 0 ? -1 : table.cfaOffset[rule];
    });
    expect(rules).toEqual([-1, 1, 1, 1, 2, 2, -1]);
  });

  it('takes no memory for text it is merely told is huge', () => {
    const functions = [
      { start: 0, size: 0xffff_ffff, rows: row(1) },
      { start: 2 ** 46, size: 16, rows: row(2) },
    ];
    const table = tableOf({ version: 3, address: 0, functions });
    expect(table.cfaOffset[table.find(0xffff_fff0)]).toBe(1);
    expect(table.find(2 ** 45)).toBe(-1);
    expect(table.cfaOffset[table.find(2 ** 46)]).toBe(2);
  });
});
