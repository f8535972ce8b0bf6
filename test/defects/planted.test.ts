/** That a planted defect can fail its test: it survives, it shows otherwise, or it cannot be planted. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Disassembler } from '../../aarch64/disassembler.js';
import { packagePath } from '../../base/package-path.js';
import type * as PathModule from '../../base/package-path.js';
import { must } from '../cpu-fixture.js';
import type { CodePatch } from './code-patch.js';
import { type Defect, guestEdit, seen, sframeDefect, whole } from './defect.js';
import type { ElfEdit } from './elf-edit.js';
import { Planter } from './planted.js';
import { compileEdit, type SourceEdit } from './source-edit.js';
import { UNWINDER_EDITS } from './source-edits.js';

const planter = new Planter(must(await Disassembler.create()));
const BOTTOM = whole('calls/record-bottom');
const MASK = UNWINDER_EDITS['wrong-alignment-mask'];

const planted = (
  edit: SourceEdit | ElfEdit,
  ...shownBy: Defect['shownBy']
): Promise<string | undefined> => planter.expectRed({ name: '', where: '', edit, shownBy });

describe('a defect', () => {
  it('that makes no difference survives', async () => {
    const edit = { ...MASK, replace: '(cfaLow & (policy.cfaMask | 0))' };
    await expect(planted(edit, seen(BOTTOM, 'unreliable'))).rejects.toThrow(
      'the defect survives calls/record-bottom',
    );
  });

  it('must show as it is said to', async () => {
    await expect(planted(MASK, seen(BOTTOM, 'sframe-v5 missing'))).rejects.toThrow(
      /^calls\/record-bottom is red, but not with "sframe-v5 missing":\n.*sframe-v5 unreliable at/,
    );
  });

  it('must not show where it is said not to', async () => {
    const defect = { name: '', where: '', edit: MASK, shownBy: [], missedBy: [BOTTOM] };
    await expect(planter.expectRed(defect)).rejects.toThrow(
      /^calls\/record-bottom shows the defect: .*sframe-v5 unreliable at record_bottom/,
    );
  });

  it('that breaks the code instead of its answers is no red sweep', async () => {
    const edit = { ...MASK, replace: '(cfaLow & undefinedName)' };
    await expect(planted(edit, seen(BOTTOM, ''))).rejects.toThrow('undefinedName is not defined');
  });

  it('is gone afterwards, whatever became of it', async () => {
    expect(await planter.reds(BOTTOM)).toEqual([]);
  });
});

describe('an edit of a source', () => {
  const root = mkdtempSync(join(tmpdir(), 'kunwind-edit-'));
  afterAll(() => {
    rmSync(root, { recursive: true });
  });
  const [source, built] = ['export const a: number = 1 + 1;\n', 'export const a = 1 + 1;\n'];
  mkdirSync(join(root, 'dist'));
  writeFileSync(join(root, 'a.ts'), source);
  writeFileSync(join(root, 'dist/a.js'), built);
  writeFileSync(join(root, 'stale.ts'), source.replace('1 + 1', '3'));
  writeFileSync(join(root, 'dist/stale.js'), built);
  const compile = (find: string, replace: string, file = 'a.ts') =>
    compileEdit({ file, find, replace }, root);

  it('is compiled as the build does', () => {
    const text = 'export const a = 2 + 1;\n';
    expect(compile('1 + 1', '2 + 1')).toEqual({ file: 'dist/a.js', text });
  });

  it.each([
    ['whose text is gone', '1 - 1', '2', 'a.ts: the text to be replaced is not there: "1 - 1"'],
    ['whose text is not the only one', '1', '2', 'a.ts: the text to be replaced is there 2 times'],
    [
      'that is no TypeScript',
      '1 + 1',
      '1 +',
      'a.ts: the edit does not compile: Expression expected',
    ],
    ['of the types only', ': number', '', 'a.ts: the edit makes no difference to the code'],
  ])('%s cannot be made', (_, find, replace, message) => {
    expect(() => compile(find, replace)).toThrow(message);
  });

  it('cannot be made when the build is older than the source', () => {
    expect(() => compile('3', '4', 'stale.ts')).toThrow(
      'dist/stale.js is not what stale.ts compiles to: npm run build',
    );
  });
});

describe('an edit of an ELF', () => {
  const code = (change: (patch: CodePatch) => void): Promise<unknown> =>
    planted(guestEdit('ret_to_kernel', change));

  it('must find what it changes, and once', async () => {
    const gone = code((patch) => {
      patch.drop(/^mov x0, #77$/);
    });
    await expect(gone).rejects.toThrow('ret_to_kernel: ^mov x0, #77$ matches 0 times');
    const many = code((patch) => {
      patch.drop(/^ldp /);
    });
    await expect(many).rejects.toThrow(/ret_to_kernel: \^ldp {2}matches \d+ times/);
    const { edit } = sframeDefect(
      '',
      'calls',
      'no_such_function',
      seen(BOTTOM, ''),
      () => undefined,
    );
    await expect(planted(edit)).rejects.toThrow(
      'scenarios/calls/calls.elf: no symbol no_such_function',
    );
  });

  it('must change it', async () => {
    await expect(code(() => undefined)).rejects.toThrow(
      'kernel-model/guest/vmlinux: the edit changes no byte',
    );
  });
});

describe('a copy of the package', () => {
  it('is its own package, whose files are not those of the package', async () => {
    const { copy } = planter;
    const { PACKAGE_ROOT } = await copy.import<typeof PathModule>('base/package-path.ts');
    expect(PACKAGE_ROOT).toBe(copy.root);
    const before = readFileSync(packagePath('package.json'), 'utf8');
    const inside = await copy.broken(
      'package.json',
      () => '{}',
      () => Promise.resolve(readFileSync(copy.path('package.json'), 'utf8')),
    );
    expect(inside).toBe('{}');
    expect(readFileSync(packagePath('package.json'), 'utf8')).toBe(before);
    expect(readFileSync(copy.path('package.json'), 'utf8')).toBe(before);
  });
});
