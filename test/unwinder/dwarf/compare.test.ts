import { describe, expect, it } from 'vitest';
import { readDwarf, tablesOf } from '../../../tables/read-tables.js';
import { compareSFrameToDwarf, type DwarfDisagreement } from '../../../unwinder/dwarf/compare.js';
import { functionRules } from '../../../unwinder/sframe/function-rules.js';
import { fixture } from '../../fixture-objects.js';
import { readKernel } from '../sframe-readelf.js';

function compare(bytes: Uint8Array): DwarfDisagreement[] {
  const tables = tablesOf('input', bytes);
  if (!tables.ok) throw new Error(tables.error);
  const dwarf = readDwarf(tables.value.elf);
  if (!dwarf.ok) throw new Error(dwarf.error);
  const rules = tables.value.sframe.flatMap(({ section }) =>
    Array.from({ length: section.functions.count }, (_, f) => functionRules(section, f)),
  );
  return compareSFrameToDwarf(
    rules,
    dwarf.value.flatMap(({ functions }) => functions),
  );
}

/** The file with the first row of three 1-byte words (`before`) given other bytes. */
function patched(name: string, before: number[], after: number[]): Buffer {
  const bytes = Buffer.from(fixture(name));
  const at = bytes.indexOf(Buffer.from(before));
  if (at < 0) throw new Error('no such row');
  bytes.set(after, at);
  return bytes;
}

describe('SFrame against DWARF CFI', () => {
  it.each(['frames-v3.o', 'frames-gcc12-v1.o', 'shapes-v3.o'])('%s agrees', (name) => {
    expect(compare(fixture(name))).toEqual([]);
  });

  // Row at +8, info 0x87 (mangled, 3 words, SP), CFA = SP+16, RA at CFA-8, FP at CFA-16.
  const row = [8, 0x87, 16, 0xf8, 0xf0];
  it.each([
    ['the CFA', [8, 0x87, 32, 0xf8, 0xf0], ['cfa']],
    ['the CFA base', [8, 0x86, 16, 0xf8, 0xf0], ['cfa']],
    ['RA', [8, 0x87, 16, 0xf0, 0xf0], ['ra']],
    ['FP', [8, 0x87, 16, 0xf8, 0xe8], ['fp']],
    ['the mangled bit', [8, 0x07, 16, 0xf8, 0xf0], ['signed']],
  ])('a wrong %s is listed with its range and both rules', (_, after, fields) => {
    const found = compare(patched('frames-v3.o', row, after));
    expect(found.map((one) => one.fields)).toEqual([fields]);
    expect(found[0]).toMatchObject({ from: 8, to: 20 });
    expect(found[0]?.dwarf).toBe('CFA=SP+16 RA=*(CFA-8) FP=*(CFA-16) signed-A');
    expect(found[0]?.sframe).not.toBe(found[0]?.dwarf);
  });

  it('a function in one of the two only is absent from the other', () => {
    const found = compare(fixture('frames-clang.o'));
    expect(new Set(found.map(({ sframe }) => sframe))).toEqual(new Set(['none']));
    expect(new Set(found.map(({ func }) => func)).size).toBe(5);
    expect(found[1]?.fields).toEqual(['absent']);
    expect(found.at(-1)?.dwarf).toMatch(/signed-B/);
  });

  const kernel = readKernel('vmlinux-7.3-rc7-leaf');
  it.skipIf(kernel === undefined)('a kernel agrees on every function', () => {
    expect(compare(kernel as Buffer)).toEqual([]);
  });
});
