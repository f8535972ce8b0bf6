import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tablesOf } from '../../../tables/read-tables.js';
import { dumpSFrame } from '../../../unwinder/sframe/dump.js';
import { buildElf } from '../../elf/elf-builder.js';
import { FIXTURES, fixture, fixtureNames } from '../../fixture-objects.js';
import { encodeSFrame } from '../sframe-encoder.js';
import { findReadelf, kernelNames, readKernel, readelfSFrame } from '../sframe-readelf.js';

/**
 * sha256 of all that readelf of binutils 2.47 prints, as that readelf printed it:
 * `sh ../shared/tools/sid-toolchain run aarch64-linux-gnu-readelf --sframe FILE | sha256sum`.
 */
const digests = JSON.parse(readFileSync(join(FIXTURES, 'readelf-sframe.json'), 'utf8')) as Record<
  string,
  string
>;
const readelf = findReadelf();
const V3 = ['frames-v3.o', 'shapes-v3.o'];

function dump(bytes: Uint8Array): string {
  const tables = tablesOf('input', bytes, 'zero');
  if (!tables.ok) throw new Error(tables.error);
  const lines = tables.value.sframe.flatMap(({ name, section }) => [...dumpSFrame(section, name)]);
  return [...lines, ''].join('\n');
}

function sha256(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex');
}

describe('objects and kernels as readelf prints them', () => {
  it.each(V3)('%s: by digest', (name) => {
    expect(sha256(dump(fixture(name)))).toBe(digests[name]);
  });

  it.skipIf(readelf === undefined).each(V3)('%s: by the tool itself', (name) => {
    if (readelf === undefined) return;
    expect(dump(fixture(name))).toBe(readelfSFrame(readelf, fixture(name)));
  });

  for (const name of kernelNames) {
    const elf = readKernel(name);
    it.skipIf(elf === undefined)(`${name}: every byte, by digest`, () => {
      expect(sha256(dump(elf as Buffer))).toBe(digests[name]);
    });
  }

  const table = (address: number, count: number): Uint8Array =>
    encodeSFrame({
      version: 3,
      flags: 4,
      address,
      functions: Array.from({ length: count }, (_, i) => {
        return { start: 0x1000 + 16 * i, size: 16, rows: [{ start: 0, words: [16, -8, -16] }] };
      }),
    });
  const several = buildElf({
    sections: [
      { name: '.sframe', type: 0x6ffffff4, flags: 2, address: 0x2000n, data: table(0x2000, 2) },
      { name: '.sframe', type: 1, flags: 2, address: 0x3000n, data: table(0x3000, 0) },
      { name: '.sframe', type: 1, flags: 2, address: 0x4000n, data: table(0x4000, 1) },
    ],
  });

  it('prints several sections, an empty one among them', () => {
    const text = dump(several);
    expect(text.match(/^Contents of/gm)?.length).toBe(3);
    expect(text).toContain('Num FDEs: 0\n    Num FREs: 0\n\n  Function Index :\nContents of');
  });

  it.skipIf(readelf === undefined)('prints several sections as readelf does', () => {
    if (readelf === undefined) return;
    expect(dump(several)).toBe(readelfSFrame(readelf, several));
  });
});

describe('an object of gcc 12, with SFrame V1', () => {
  it('has its functions where the symbols are', () => {
    const tables = tablesOf('v1', fixture('frames-gcc12-v1.o'));
    if (!tables.ok) throw new Error(tables.error);
    const { elf, sframe } = tables.value;
    const section = sframe[0]?.section;
    expect(section?.header.version).toBe(1);
    const functions = elf.symbols
      .filter(({ kind }) => kind === 'function')
      .map(({ address, size }) => `${address} ${size}`);
    const starts = Array.from(section?.functions.start ?? [], (start, f) => {
      return `${start} ${section?.functions.size[f] ?? 0}`;
    });
    expect(starts.sort()).toEqual(functions.sort());
    expect(starts.length).toBe(5);
  });
});

describe('the committed objects', () => {
  const manifest = JSON.parse(readFileSync(join(FIXTURES, 'manifest.json'), 'utf8')) as Record<
    string,
    { sha256: string; source: string; sourceSha256: string }
  >;

  it('are all in the manifest', () => {
    expect(Object.keys(manifest).sort()).toEqual([...fixtureNames].sort());
  });

  it.each(fixtureNames)('%s is what its source was built to', (name) => {
    const entry = manifest[name];
    expect(sha256(fixture(name))).toBe(entry?.sha256);
    expect(sha256(fixture(entry?.source ?? ''))).toBe(entry?.sourceSha256);
  });
});
