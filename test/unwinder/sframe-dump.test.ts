import { describe, expect, it } from 'vitest';
import { formatRule } from '../../unwinder/rule-text.js';
import { RuleTable } from '../../unwinder/rule-table.js';
import { decodeSFrame } from '../../unwinder/sframe/decode.js';
import { sframeJson } from '../../unwinder/sframe/dump-json.js';
import { dumpSFrame } from '../../unwinder/sframe/dump.js';
import { formatSFrameError } from '../../unwinder/sframe/error.js';
import { type SFrameSection } from '../../unwinder/sframe/section.js';
import { elfAround } from './sframe-elf.js';
import { encodeSFrame } from './sframe-encoder.js';
import { findReadelf, readelfSFrame } from './sframe-readelf.js';
import { samples } from './sframe-samples.js';
import { V1_ADDRESS, v1Readelf, v1Section } from './sframe-v1-fixture.js';

function decode(bytes: Uint8Array, address: number): SFrameSection {
  const section = decodeSFrame(bytes, address);
  if (!section.ok) throw new Error(formatSFrameError(section.error));
  return section.value;
}

const readelf = findReadelf();
const noReadelf = readelf === undefined ? ' (skipped: no readelf of binutils 2.46 or newer)' : '';

describe.skipIf(noReadelf !== '')(`prints what readelf prints${noReadelf}`, () => {
  it.each(samples.filter((sample) => sample.readelf))('$name', ({ spec }) => {
    const bytes = encodeSFrame(spec);
    const ours = [...dumpSFrame(decode(bytes, spec.address)), ''].join('\n');
    const elf = elfAround({ address: spec.address, bytes });
    // skipIf has seen to readelf being there.
    expect(ours).toBe(readelfSFrame(readelf as NonNullable<typeof readelf>, elf));
  });
});

it('prints a negative offset with its own sign, but for the layout of readelf', () => {
  const row = { start: 0, words: [-32] };
  const address = 0x20000;
  const functions = [{ start: 0x10000, size: 4, rows: [row] }];
  const section = decode(encodeSFrame({ version: 3, flags: 0, address, functions }), address);
  const rowOf = (lines: Iterable<string>): string | undefined => [...lines].at(-1)?.slice(4);
  expect(rowOf(dumpSFrame(section))).toMatch(/^0000000000010000 {2}sp\+-32 +u/);
  expect(rowOf(dumpSFrame(section, '.sframe', () => 'f'))).toMatch(/^0{11}10000 {2}sp-32 +u/);
  expect(JSON.stringify(sframeJson(section))).toContain('"cfa":"sp-32"');
  const table = new RuleTable([section]);
  expect(formatRule(table.rule(table.find(0x10000)))).toBe('CFA=SP-32 RA=x30 FP=x29');
});

describe('a V1 section that binutils 2.40 assembled', () => {
  const section = decode(v1Section, V1_ADDRESS);

  it('prints as its own readelf printed it', () => {
    expect([...dumpSFrame(section), ''].join('\n')).toBe(v1Readelf);
  });

  it('gives the expected rules', () => {
    const table = new RuleTable([section]);
    const rules = [0x0, 0x4, 0x8, 0xc, 0x14, 0x18, 0x150, 0x154, 0x15c, 0x170].map((offset) =>
      formatRule(table.rule(table.find(0x400000 + offset))),
    );
    expect(rules).toEqual([
      'CFA=SP+0 RA=x30 FP=x29',
      'CFA=SP+0 RA=x30 FP=x29 signed-A',
      'CFA=SP+32 RA=*(CFA-24) FP=*(CFA-32) signed-A',
      'CFA=FP+32 RA=*(CFA-24) FP=*(CFA-32) signed-A',
      'CFA=SP+0 RA=x30 FP=x29 signed-A',
      'CFA=SP+0 RA=x30 FP=x29',
      'CFA=SP+4096 RA=x30 FP=x29',
      'CFA=SP+0 RA=x30 FP=x29',
      'CFA=SP+0 RA=x30 FP=x29 signed-B',
      'CFA=SP+0 RA=x30 FP=x29',
    ]);
  });
});

describe('dump layout, without a readelf at hand', () => {
  it('keeps columns apart as binutils 2.47 does', () => {
    const sample = samples.find(({ name }) => name === 'V3 flags 4: flexible FDE');
    if (sample === undefined) throw new Error('no such sample');
    const lines = [...dumpSFrame(decode(encodeSFrame(sample.spec), sample.spec.address))];
    expect(lines.slice(0, 18)).toEqual([
      'Contents of the SFrame section .sframe:',
      '  Header :',
      '',
      '    Version: SFRAME_VERSION_3',
      '    Flags: SFRAME_F_FDE_FUNC_START_PCREL',
      '    Num FDEs: 2',
      '    Num FREs: 13',
      '',
      '  Function Index :',
      '',
      '    func idx [0]: pc = 0xffff800080000400, size = 52 bytes, attr = "F", pauth = B key',
      '    STARTPC         CFA       FP        RA           ',
      '    ffff800080000400  sp+16     u         u            ',
      '    ffff800080000404  (fp-8)    u         u            ',
      '    ffff800080000408  r9-8      c-16      c-8[s]       ',
      '    ffff80008000040c  sp+0      c-16      U            ',
      '    ffff800080000410  sp+0      u         r9+0         ',
      '    ffff800080000414  sp+0      (sp-4)    (r9+8)       ',
    ]);
  });

  it('writes offsets for MASK rows and U for an RA that is not saved', () => {
    const linesOf = (name: string): string[] => {
      const spec = samples.find((sample) => sample.name.startsWith(name))?.spec;
      if (spec === undefined) throw new Error('no such sample');
      return [...dumpSFrame(decode(encodeSFrame(spec), spec.address))];
    };
    expect(linesOf('V3: MASK').slice(-3)).toEqual([
      '    STARTPC[m]      CFA       FP        RA           ',
      '    0000000000000004  sp+16     c-16      c-8          ',
      '    000000000000000c  sp+0      u         u            ',
    ]);
    expect(linesOf('V3 flags 0: default').slice(-3)).toEqual([
      '    ffff800080000814  sp+16     u         c-8          ',
      '    ffff800080000818  sp+32     c-16      U            ',
      '    ffff80008000081c  RA undefined',
    ]);
  });

  it('has a JSON form', () => {
    const sample = samples.find(({ name }) => name.startsWith('V3: MASK'));
    if (sample === undefined) throw new Error('no such sample');
    const json = sframeJson(decode(encodeSFrame(sample.spec), sample.spec.address));
    expect(json).toMatchObject({
      address: '0xffff800080700000',
      version: 3,
      flags: ['SFRAME_F_FDE_FUNC_START_PCREL'],
      auxHeaderLength: 5,
      functionCount: 2,
      rowCount: 5,
    });
    expect(json.functions[1]).toEqual({
      index: 1,
      pc: '0xffff800080000024',
      size: 0x40,
      pcType: 'mask',
      repSize: 16,
      type: 'default',
      signalFrame: false,
      pauthKey: 'A',
      rows: [
        { pc: '0x4', outermost: false, cfa: 'sp+16', fp: 'c-16', ra: 'c-8', mangled: false },
        { pc: '0xc', outermost: false, cfa: 'sp+0', fp: 'u', ra: 'u', mangled: false },
      ],
    });
    const undefinedRow = { pc: '0xffff800080000420', outermost: true };
    const flex = samples.find(({ name }) => name === 'V3 flags 0: flexible FDE');
    if (flex === undefined) throw new Error('no such sample');
    const functions = sframeJson(decode(encodeSFrame(flex.spec), flex.spec.address)).functions;
    expect(functions[0]?.rows[8]).toEqual(undefinedRow);
  });
});
