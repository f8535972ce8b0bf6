import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { FIXTURES, fixture } from '../fixture-objects.js';
import { LEAF_ELF } from './image-files.js';
import { scratchFolder } from './run-cli.js';
import { runShared } from './shared-session.js';

const folder = scratchFolder();
afterAll(() => {
  folder.remove();
});
const V3 = join(FIXTURES, 'frames-v3.o');

/** {@link V3} with the CFA offset of one row changed. */
function changed(): string {
  const bytes = fixture('frames-v3.o');
  bytes[bytes.indexOf(Buffer.from([8, 0x87, 16, 0xf8, 0xf0])) + 2] = 48;
  const path = join(folder.path, 'changed.o');
  writeFileSync(path, bytes);
  return path;
}

describe('sframe diff', () => {
  it('ends with 0 when the tables say the same', async () => {
    const { status, stdout } = await runShared(['sframe', 'diff', LEAF_ELF, LEAF_ELF]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^\d+ functions equal, 0 changed, 0 only in the first, 0 only/);
  });

  it('ends with 1 and shows both rules when they do not', async () => {
    const { status, stdout } = await runShared(['sframe', 'diff', V3, changed()]);
    expect(status).toBe(1);
    expect(stdout).toBe(
      [
        '~ local (frames.c)',
        '    +0x8..+0x14',
        '      - CFA=SP+16 RA=*(CFA-8) FP=*(CFA-16) signed-A',
        '      + CFA=SP+48 RA=*(CFA-8) FP=*(CFA-16) signed-A',
        '4 functions equal, 1 changed, 0 only in the first, 0 only in the second',
        '',
      ].join('\n'),
    );
  });

  it('has the same as JSON', async () => {
    const { status, stdout } = await runShared(['sframe', 'diff', V3, changed(), '--json']);
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ equal: 4, changed: [{ name: 'local' }] });
  });

  it('ends with 2 when there is nothing to compare', async () => {
    const { status, stderr } = await runShared([
      'sframe',
      'diff',
      V3,
      join(FIXTURES, 'frames-clang.o'),
    ]);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^kunwind-lab: .*frames-clang\.o: no \.sframe section\n$/);
  });
});

describe('sframe stat', () => {
  it('prints sizes and shares, and compares with .eh_frame', async () => {
    const { status, stdout } = await runShared(['sframe', 'stat', V3]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^\.sframe: version 3, SFRAME_F_FDE_FUNC_START_PCREL\n/);
    expect(stdout).toMatch(/\n {4}function table {8} +80 {2}37\.4 %\n/);
    expect(stdout).toMatch(/\n\.eh_frame: \d+ bytes, 5 functions; \.sframe is \d+\.\d % of it\n$/);
    expect(stdout).not.toMatch(/undefined|NaN/);
  });

  it('has JSON', async () => {
    const { stdout } = await runShared(['sframe', 'stat', V3, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ sections: [{ rows: { count: 23 } }] });
  });
});

describe('sframe coverage', () => {
  it('says what to annotate first', async () => {
    const { status, stdout } = await runShared([
      'sframe',
      'coverage',
      join(FIXTURES, 'shapes-v3.o'),
    ]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^text +44 of 136 bytes have a row \(32\.35 %\)\nfunctions {2}2 of 3/);
    expect(stdout).toMatch(/to annotate first\n +8 {2}no_cfi +\.text: global, 1 direct caller\n/);
  });

  it('lists as many as asked', async () => {
    const args = ['sframe', 'coverage', join(FIXTURES, 'frames-clang.o')];
    const { status, stdout } = await runShared([...args, '--limit', '2']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^no \.sframe section: no text has a row\n/);
    expect(stdout).toMatch(/\.\.\. and 3 more \(--limit 0\)\n$/);
    const all = await runShared([...args, '--limit', '0']);
    expect(all.stdout).toMatch(/ leaf [^\n]*has DWARF CFI\n$/);
  });
});

describe('sframe commands on what they cannot use', () => {
  const corrupt = join(folder.path, 'corrupt.o');
  const bytes = fixture('frames-v3.o');
  // sfp_version, after the magic.
  bytes[bytes.indexOf(Buffer.from([0xe2, 0xde, 3])) + 2] = 9;
  writeFileSync(corrupt, bytes);

  it.each([
    [['stat', corrupt], /corrupt\.o: \.sframe: unsupported SFrame version/],
    [['diff', V3, corrupt], /corrupt\.o: \.sframe: unsupported SFrame version/],
    [['coverage', corrupt], /corrupt\.o: \.sframe: unsupported SFrame version/],
    [['diff', V3], /sframe diff needs two FILEs/],
    [['stat'], /sframe stat needs a FILE/],
    [['coverage', V3, '--limit', '-1'], /--limit must be a whole number, 0 or more/],
    [['dump', V3, '--format', 'x'], /--format x: there are text, readelf, json/],
  ])('%j: one line and status 2', async (args, message) => {
    const { status, stdout, stderr } = await runShared(['sframe', ...args]);
    expect(stderr).toMatch(/^kunwind-lab: [^\n]+\n$/);
    expect(stderr).toMatch(message);
    expect([status, stdout]).toEqual([2, '']);
  });
});
