import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findReadelf, readelfSFrame } from '../unwinder/sframe-readelf.js';
import { LEAF_ELF } from './image-files.js';
import { ROOT } from './run-cli.js';
import { runShared } from './shared-session.js';

const readelf = findReadelf();

/** Files of which readelf prints other addresses: where their functions are, and where it has them. */
const MISPLACED = [
  ['v2-object-readelf/c07_bkey.v2.o', '0x0', '0xffffffffffffffe4'],
  ['v2-object-readelf/z2_sections.v2r.o', '0x0', '0xffffffffffffffe4'],
  ['fdegap/h2_fdegap.elf', '0x2101b4', '0x2101ac'],
] as const;

describe('sframe dump', () => {
  it('prints header, functions and rows', async () => {
    const { status, stdout } = await runShared(['sframe', 'dump', LEAF_ELF]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^Contents of the SFrame section \.sframe:\n {2}Header :\n/);
    expect(stdout).toMatch(/func idx \[0\]: pc = 0xffff\w+, size = \d+ bytes/);
  });

  it.skipIf(readelf === undefined)('prints what readelf prints, byte for byte', async () => {
    if (readelf === undefined) return;
    const expected = readelfSFrame(readelf, readFileSync(LEAF_ELF));
    const { stdout } = await runShared(['sframe', 'dump', '--format=readelf', LEAF_ELF]);
    expect(stdout).toBe(expected);
  });

  it('names the functions, but not in the layout of readelf', async () => {
    const { stdout: named } = await runShared(['sframe', 'dump', LEAF_ELF]);
    expect(named).toMatch(/pc = 0x\w+, size = 136 bytes <leaf_memcpy_inner>\n/);
    const { stdout: plain } = await runShared(['sframe', 'dump', '--format=readelf', LEAF_ELF]);
    expect(named.replace(/ <\w+>\n/g, '\n')).toBe(plain);
  });

  it('has the same as JSON', async () => {
    const { stdout } = await runShared(['sframe', 'dump', LEAF_ELF, '--format=json']);
    const { file, sections } = JSON.parse(stdout) as {
      file: string;
      sections: { name: string; functionCount: number; functions: { rows: unknown[] }[] }[];
    };
    expect(file).toBe(LEAF_ELF);
    expect(sections.map(({ name }) => name)).toEqual(['.sframe']);
    expect(sections[0]?.functions.length).toBe(sections[0]?.functionCount);
  });

  for (const [name, ours, theirs] of MISPLACED) {
    const path = join(ROOT, '../shared/cases', name);
    const isThere = existsSync(path);
    const title = `has the first function of ${name} where it is, and readelf has not`;
    it.skipIf(!isThere)(isThere ? title : `${title} (skipped: needs ../shared)`, async () => {
      const { status, stdout } = await runShared(['sframe', 'dump', '--format=readelf', path]);
      expect(status).toBe(0);
      expect(stdout).toContain(`func idx [0]: pc = ${ours},`);
      if (readelf === undefined) return;
      const expected = readelfSFrame(readelf, readFileSync(path));
      expect(expected).toContain(`func idx [0]: pc = ${theirs},`);
      // Nothing differs but addresses.
      const masked = (text: string): string =>
        text.replace(/pc = 0x\w+/g, 'pc').replace(/^ {4}[0-9a-f]{16} /gm, '');
      expect(masked(stdout)).toBe(masked(expected));
    });
  }
});
