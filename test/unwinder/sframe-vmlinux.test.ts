import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { RuleTable } from '../../unwinder/rule-table.js';
import { decodeSFrame } from '../../unwinder/sframe/decode.js';
import { dumpSFrame } from '../../unwinder/sframe/dump.js';
import { formatSFrameError } from '../../unwinder/sframe/error.js';
import { type SFrameSection } from '../../unwinder/sframe/section.js';
import { CfaBase, RecoverKind, type UnwindRule } from '../../unwinder/unwind-rule.js';
import { elfSection } from './sframe-elf.js';
import {
  canonical,
  findReadelf,
  kernelNames,
  readKernel,
  readelfSFrame,
} from './sframe-readelf.js';

interface Digest {
  functions: number;
  rows: number;
  sha256: string;
}

const digests = JSON.parse(
  readFileSync(new URL('sframe-vmlinux.digest.json', import.meta.url), 'utf8'),
) as { kernels: Record<string, Digest> };
const readelf = findReadelf();

function decodeKernel(elf: Buffer): SFrameSection {
  const sframe = elfSection(elf, '.sframe');
  if (sframe === undefined) throw new Error('no .sframe');
  const section = decodeSFrame(sframe.bytes, sframe.address);
  if (!section.ok) throw new Error(formatSFrameError(section.error));
  return section.value;
}

/** The rule that three columns of readelf's table describe; default FDEs only. */
function ruleOfColumns(cfa: string, fp: string, ra: string, attributes: string): UnwindRule {
  const base = /^(sp|fp)\+(-?\d+)$/.exec(cfa);
  if (base === null) throw new Error(`not a default CFA: ${cfa}`);
  const saved = (column: string): number => Number(/^c([+-]\d+)/.exec(column)?.[1] ?? 0);
  const isSp = base[1] === 'sp';
  return {
    cfaBase: isSp ? CfaBase.SP : CfaBase.FP,
    cfaRegister: isSp ? 31 : 29,
    cfaOffset: Number(base[2]),
    cfaDeref: false,
    raKind: ra.startsWith('c') ? RecoverKind.LOAD_CFA : RecoverKind.UNCHANGED,
    raRegister: 0,
    raOffset: saved(ra),
    fpKind: fp.startsWith('c') ? RecoverKind.LOAD_CFA : RecoverKind.UNCHANGED,
    fpRegister: 0,
    fpOffset: saved(fp),
    mangled: ra.endsWith('[s]'),
    signalFrame: attributes.includes('attr = "S'),
    pauthKeyB: attributes.includes('pauth = B'),
  };
}

/** Asks the table at every row's first and last instruction; the number of rows agreed on. */
function agreeOnRules(table: RuleTable, text: string): number {
  let rows = 0;
  let attributes = '';
  let end = 0;
  const lines = text.split('\n');
  lines.forEach((line, i) => {
    const func = /^func idx \[\d+\]: pc = 0x([0-9a-f]+), size = (\d+) bytes(.*)$/.exec(line);
    if (func !== null) {
      end = addressOf(func[1] ?? '') + Number(func[2]);
      attributes = func[3] ?? '';
      return;
    }
    const [pc = '', cfa = '', fp = '', ra = ''] = line.split(' ');
    const expected = JSON.stringify(ruleOfColumns(cfa, fp, ra, attributes));
    const next = lines[i + 1] ?? 'func';
    const last = (next.startsWith('func') ? end : addressOf(next.split(' ')[0] ?? '')) - 4;
    // Two rows may have one address: then the second hides the first.
    if (last < addressOf(pc)) return;
    for (const at of [addressOf(pc), last]) {
      const actual = JSON.stringify(table.rule(table.find(at)));
      if (actual !== expected) throw new Error(`${line}: ${actual}, not ${expected}`);
    }
    rows++;
  });
  return rows;
}

function addressOf(digits: string): number {
  return Number(BigInt.asIntN(64, BigInt(`0x${digits}`)));
}

describe.each(kernelNames)('%s', (name) => {
  const elf = readKernel(name);
  const digest = digests.kernels[name];
  const noKernel = elf === undefined ? ` (skipped: no ../shared/kernels/${name}.gz)` : '';
  const noReadelf = readelf === undefined ? ' (skipped: no readelf of binutils 2.46 or newer)' : '';

  it.skipIf(noKernel !== '')(`has readelf's functions and rows, by digest${noKernel}`, () => {
    const { functions, rows, sha256 } = canonical(dumpSFrame(decodeKernel(elf as Buffer)));
    expect({ functions, rows, sha256 }).toEqual(digest);
  });

  it.skipIf(noKernel + noReadelf !== '')(
    `prints what readelf prints, byte for byte${noKernel}${noReadelf}`,
    () => {
      const ours = [...dumpSFrame(decodeKernel(elf as Buffer)), ''].join('\n');
      // skipIf has seen to both being there.
      const theirs = readelfSFrame(readelf as NonNullable<typeof readelf>, elf as Buffer);
      const { functions, rows, sha256 } = canonical(theirs.split('\n'));
      expect({ functions, rows, sha256 }).toEqual(digest);
      // Not expect(ours).toBe(theirs): a difference would print seven megabytes.
      expect(ours === theirs).toBe(true);
    },
  );

  it.skipIf(noKernel !== '')(`finds the rule of every row${noKernel}`, () => {
    const section = decodeKernel(elf as Buffer);
    const { text, sha256 } = canonical(dumpSFrame(section));
    expect(sha256).toBe(digest?.sha256);
    expect(agreeOnRules(new RuleTable([section]), text)).toBe(digest?.rows);
  });

  it.skipIf(noKernel !== '')(`has few rules for its many rows${noKernel}`, () => {
    const rules = new RuleTable([decodeKernel(elf as Buffer)]).count;
    expect(rules).toBeGreaterThan(0);
    expect(rules).toBeLessThan(500);
  });
});
