import { describe, expect, it } from 'vitest';
import { parseElfFile } from '../../../elf/file.js';
import { readDwarf } from '../../../tables/read-tables.js';
import { formatDwarfError } from '../../../unwinder/dwarf/error.js';
import { decodeDwarfFrames } from '../../../unwinder/dwarf/frames.js';
import { formatDwarfRow } from '../../../unwinder/dwarf/row-text.js';
import type { DwarfCfa, DwarfFunction, DwarfRegister } from '../../../unwinder/dwarf/rows.js';
import { fixture, fixtureNames } from '../../fixture-objects.js';
import { findReadelf, readKernel, readelfOutput } from '../sframe-readelf.js';

const readelf = findReadelf();

function functionsOf(bytes: Uint8Array): DwarfFunction[] {
  // Every section at 0, as readelf has it.
  const elf = parseElfFile('input', bytes, 'zero');
  if (!elf.ok) throw new Error(elf.error.kind);
  const dwarf = readDwarf(elf.value);
  if (!dwarf.ok) throw new Error(dwarf.error);
  return dwarf.value.flatMap(({ functions }) => functions);
}

const hex = (value: number): string =>
  BigInt.asUintN(64, BigInt(value)).toString(16).padStart(16, '0');
const sign = (value: number): string => (value < 0 ? `${value}` : `+${value}`);

/** `sp+32`, in readelf's words. */
function cfaColumn(cfa: DwarfCfa): string {
  if (cfa.kind !== 'register') return cfa.kind === 'expression' ? 'exp' : '?';
  return (cfa.register === 31 ? 'sp' : `x${cfa.register}`) + sign(cfa.offset);
}

function registerColumn(rule: DwarfRegister): string {
  switch (rule.kind) {
    case 'unspecified':
    case 'undefined':
      return 'u';
    case 'same':
      return 's';
    case 'offset':
      return `c${sign(rule.offset)}`;
    case 'val-offset':
      return `v${sign(rule.offset)}`;
    case 'register':
      return `r${rule.register}`;
    case 'expression':
      return 'exp';
    case 'val-expression':
      return 'vexp';
  }
}

/** One line per function and row, as our decoder has it. */
function ourLines(functions: readonly DwarfFunction[]): string[] {
  return functions.flatMap(({ start, size, rows, pauthKeyB, signalFrame }) => [
    `${hex(start)}..${hex(start + size)}${signalFrame ? ' S' : ''}${pauthKeyB ? ' B' : ''}`,
    ...rows.map(
      ({ offset, cfa, fp, ra }) =>
        `${hex(start + offset)} ${cfaColumn(cfa)} ${registerColumn(fp)} ${registerColumn(ra)}`,
    ),
  ]);
}

/** The same out of `readelf --debug-dump=frames-interp`. */
function readelfLines(text: string): string[] {
  const lines: string[] = [];
  const letters = new Map<string, string>();
  let columns: string[] = [];
  let inFunction = false;
  let isBare = false;
  let initial = '';
  const flush = (): void => {
    // A function without instructions has the CIE's row, which readelf does not repeat.
    if (inFunction && isBare) lines.push(`${lines.at(-1)?.slice(0, 16) ?? ''} ${initial} u u`);
    isBare = false;
  };
  for (const line of text.split('\n')) {
    const cie = /^([0-9a-f]+) \w+ \w+ CIE "(\w*)"/.exec(line);
    const fde = /^\w+ \w+ \w+ FDE cie=([0-9a-f]+) pc=([0-9a-f]+)\.\.([0-9a-f]+)/.exec(line);
    const row = /^([0-9a-f]{16}) (.*?) *$/.exec(line);
    if (cie !== null) {
      flush();
      letters.set(cie[1] ?? '', cie[2] ?? '');
      inFunction = false;
    } else if (fde !== null) {
      flush();
      const augmentation = letters.get(fde[1] ?? '') ?? '';
      const flags = `${augmentation.includes('S') ? ' S' : ''}${augmentation.includes('B') ? ' B' : ''}`;
      lines.push(`${fde[2] ?? ''}..${fde[3] ?? ''}${flags}`);
      inFunction = isBare = true;
    } else if (/^ +LOC /.test(line)) {
      columns = line.trim().split(/ +/).slice(2);
    } else if (row !== null) {
      const [cfa = '', ...values] = (row[2] ?? '').replace(/ \(x\d+\)/g, '').split(/ +/);
      const value = (name: string): string => values[columns.indexOf(name)] ?? 'u';
      if (inFunction) lines.push(`${row[1] ?? ''} ${cfa} ${value('x29')} ${value('ra')}`);
      else initial = cfa;
      isBare = false;
    }
  }
  flush();
  return lines;
}

describe.skipIf(readelf === undefined)(
  'rows as readelf --debug-dump=frames-interp has them',
  () => {
    it.each(fixtureNames)('%s', (name) => {
      if (readelf === undefined) return;
      const theirs = readelfLines(
        readelfOutput(readelf, '--debug-dump=frames-interp', fixture(name)),
      );
      expect(theirs.length).toBeGreaterThan(1);
      expect(ourLines(functionsOf(fixture(name)))).toEqual(theirs);
    });

    const kernel = readKernel('vmlinux-7.3-rc7');
    it.skipIf(kernel === undefined)('a kernel', () => {
      if (readelf === undefined || kernel === undefined) return;
      const theirs = readelfLines(readelfOutput(readelf, '--debug-dump=frames-interp', kernel));
      const ours = ourLines(functionsOf(kernel));
      expect(ours.length).toBeGreaterThan(100_000);
      // A difference would print megabytes.
      expect(ours.findIndex((line, i) => line !== theirs[i])).toBe(-1);
      expect(ours.length).toBe(theirs.length);
    });
  },
);

describe('call frame instructions', () => {
  it('mean what DWARF says', () => {
    const [func] = functionsOf(fixture('opcodes.o'));
    expect(func?.size).toBe(0x754c8);
    const rows = func?.rows.map((row) => `${row.offset} ${formatDwarfRow(row, false)}`);
    expect(rows).toEqual([
      '0 CFA=SP+0 RA=x30 FP=x29',
      '4 CFA=SP+32 RA=x30 FP=x29',
      '8 CFA=SP+32 RA=x30 FP=*(CFA+16)',
      '12 CFA=SP+32 RA=*(CFA-8) FP=*(CFA+16)',
      '16 CFA=SP+64 RA=*(CFA-8) FP=CFA-16',
      '20 CFA=SP+64 RA=x30 FP=CFA+24',
      '24 CFA=SP+64 RA=x9 FP=CFA+24',
      '28 CFA=SP+64 RA=x9 FP=val-expression',
      '32 CFA=SP+64 RA=expression FP=val-expression',
      '36 CFA=expression RA=expression FP=val-expression',
      '40 CFA=SP+32 RA=*(CFA-8) FP=*(CFA+16)',
      '44 CFA=SP+32 RA=*(CFA-8) FP=x29 signed-A',
      '48 CFA=SP+32 RA=*(CFA-8) FP=x29',
      '52 CFA=SP+32 RA=*(CFA-8) FP=*(CFA+24)',
      '452 CFA=SP+32 RA=x30 FP=*(CFA+24)',
      '80452 CFA=FP+48 RA=x30 FP=*(CFA+24)',
      '480452 outermost',
    ]);
  });
});

/** A CIE with these augmentation and instructions, and one FDE of it. */
function section(augmentation: string, cieData: number[], cieCode: number[], fdeCode: number[]) {
  const cie = [0, 0, 0, 0, 1, ...Buffer.from(augmentation), 0, 4, 0x78, 30];
  if (augmentation.startsWith('z')) cie.push(cieData.length, ...cieData);
  cie.push(...cieCode);
  const fde = [0, 0, 0, 0, ...new Array<number>(8).fill(0), 16, 0, 0, 0, 0, 0, 0, 0];
  if (augmentation.startsWith('z')) fde.push(0);
  fde.push(...fdeCode);
  const bytes = Buffer.alloc(8 + cie.length + fde.length);
  bytes.writeUInt32LE(cie.length, 0);
  bytes.set(cie, 4);
  bytes.writeUInt32LE(fde.length, 4 + cie.length);
  bytes.set(fde, 8 + cie.length);
  bytes.writeUInt32LE(8 + cie.length, 8 + cie.length);
  return bytes;
}

describe('bad call frame information', () => {
  const cases: [string, Buffer, RegExp][] = [
    [
      'an opcode',
      section('zR', [0], [], [0x3e]),
      /DW_CFA opcode at offset 0x\w+ is 0x3e, an unknown instr/,
    ],
    ['a state', section('zR', [0], [], [0x0b]), /restores a state that was not saved/],
    ['an encoding', section('zR', [0x50], [], []), /is 0x50, an unsupported pointer encoding/],
    [
      'a letter',
      section('zQ', [0], [], []),
      /augmentation at offset 0xa has the unknown letter 0x51/,
    ],
    [
      'a CFA',
      section('', [], [], [0x0e, 8]),
      /changes a CFA that is not a register plus an offset/,
    ],
    ['a block', section('', [], [0x0f, 0x7f], []), /truncated: DW_CFA_def_cfa .* needs/],
    ['a number', section('', [], [0x0e, ...new Array<number>(12).fill(0x80)], []), /more than 53/],
    ['a CIE', section('', [], [], []).fill(9, 17, 18), /CIE_pointer at offset 0x\w+ leads to/],
  ];
  it.each(cases)('%s is named with its offset', (_, bytes, message) => {
    const frames = decodeDwarfFrames(bytes, 0, 'eh_frame');
    expect(frames.ok ? 'read' : formatDwarfError(frames.error)).toMatch(message);
  });

  it('cut at every byte, is refused or read, in one line', () => {
    const elf = parseElfFile('input', fixture('frames-v3.o'), 'zero');
    const whole = elf.ok ? elf.value.dwarfFrames[0]?.data : undefined;
    if (whole === undefined) throw new Error('no .eh_frame');
    let refused = 0;
    for (let length = 1; length < whole.length; length++) {
      const frames = decodeDwarfFrames(whole.subarray(0, length), 0, 'eh_frame');
      if (frames.ok) continue;
      refused++;
      expect(formatDwarfError(frames.error)).not.toMatch(/\n|NaN|undefined/);
      expect(frames.error.offset).toBeLessThanOrEqual(length);
    }
    expect(refused).toBeGreaterThan(whole.length / 2);
  });
});
