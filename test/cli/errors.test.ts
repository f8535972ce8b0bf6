import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { LEAF_ELF, sframeOffset, writeLoader, writePatched } from './image-files.js';
import { run, type Run, scratchFolder } from './run-cli.js';
import { runShared } from './shared-session.js';

const folder = scratchFolder();
afterAll(() => {
  folder.remove();
});
const inFolder = (name: string): string => join(folder.path, name);

/** One line on standard error, nothing on standard output, status 2. */
function expectRefusal({ status, stdout, stderr }: Run, message: RegExp): void {
  expect(stderr).toMatch(/^kunwind-lab: [^\n]+\n$/);
  expect(stderr).toMatch(message);
  expect(stderr).not.toContain('internal error');
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
}

async function expectOneLine(args: readonly string[], message: RegExp): Promise<void> {
  expectRefusal(await runShared(args), message);
}

const EI_DATA = 5;
const E_TYPE = 16;
const E_MACHINE = 18;

function notElf(): string {
  const path = inFolder('text');
  writeFileSync(path, 'hello\n');
  return path;
}

function truncated(): string {
  const path = inFolder('truncated');
  writeFileSync(path, readFileSync(LEAF_ELF).subarray(0, 1000));
  return path;
}

describe('a file that cannot be used', () => {
  const files: readonly (readonly [string, () => string, RegExp])[] = [
    ['missing', () => inFolder('none'), /none: cannot read the file: no such file/],
    ['a directory', () => folder.path, /not a regular file/],
    ['not an ELF', notElf, /text: not an ELF file: .* is 68 65 6c 6c/],
    ['truncated', truncated, /truncated: section header table at offset 0x/],
    [
      'big-endian',
      () => writePatched(inFolder('big'), EI_DATA, 2),
      /not little-endian \(e_ident\[EI_DATA\]/,
    ],
    [
      'for another machine',
      () => writePatched(inFolder('x86'), E_MACHINE, 62),
      /built for x86-64, not AArch64/,
    ],
    [
      'with a corrupt .sframe header',
      () => writePatched(inFolder('version'), sframeOffset() + 2, 9),
      /unsupported SFrame version: sfp_version at offset 0x2 is 9/,
    ],
    [
      'with a corrupt .sframe entry',
      () => writePatched(inFolder('fres'), sframeOffset() + 0x0c, 0xff, 0xff),
      /SFrame \S+ at offset 0x[0-9a-f]+ is \d+/,
    ],
  ];
  it.each(files)(
    '%s: one line from sweep --image and from sframe dump',
    async (_, make, message) => {
      const file = make();
      await expectOneLine(['sweep', '--image', file, '--function', 'leaf_memcpy_entry'], message);
      await expectOneLine(['sframe', 'dump', file], message);
    },
  );

  it('relocatable: an error to sweep --image', async () => {
    const file = writePatched(inFolder('o'), E_TYPE, 1);
    const args = ['sweep', '--image', file, '--function', 'leaf_memcpy_entry'];
    await expectOneLine(args, /a relocatable object/);
  });

  it('linked where the guest kernel is', async () => {
    const kernel = 'kernel-model/guest/vmlinux';
    const args = ['sweep', '--image', kernel, '--function', 'kthread', '--no-progress'];
    await expectOneLine([...args, '--jobs', '1'], /vmlinux overlaps .* at 0xffff/);
  });

  it('without .sframe: an error to sframe dump', async () => {
    const file = writeLoader(inFolder('plain'), 0x400000n);
    await expectOneLine(['sframe', 'dump', file], /plain: no \.sframe section/);
  });

  it('without that function: the nearest names', async () => {
    const args = ['sweep', '--image', LEAF_ELF, '--function', 'leaf_memcp'];
    await expectOneLine(args, /no function leaf_memcp; did you mean leaf_memcmp, leaf_memcpy/);
  });

  it('with data of that name', async () => {
    const file = writeLoader(inFolder('data'), 0x400000n);
    await expectOneLine(['sweep', '--image', file, '--function', 'a_table'], /a_table is not code/);
  });
});

describe('a command line that means nothing', () => {
  const image = ['--image', LEAF_ELF, '--function', 'leaf_memcpy'];
  const lines: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['no command', [], /no command given; there are sweep, debug, kunit, list, sframe and doctor/],
    ['an unknown command', ['swep'], /unknown command 'swep'; did you mean sweep\?/],
    ['sframe alone', ['sframe'], /sframe needs a command: dump/],
    ['sframe dump alone', ['sframe', 'dump'], /sframe dump needs a FILE/],
    ['an unknown option', ['sweep', '--polcy', 'x'], /unknown option --polcy/],
    ['an unknown scenario', ['sweep', 'zzz'], /no scenario 'zzz'; `kunwind-lab list` names them/],
    ['a misspelt scenario', ['sweep', 'leaf/memcp'], /did you mean leaf\/memcmp, leaf\/memcpy/],
    ['an unknown policy', ['sweep', '--policy', 'sframe-v7'], /unknown policy 'sframe-v7'; there/],
    ['an unknown kind', ['sweep', '--kind', 'irq,fiq'], /unknown kind 'fiq'; there are irq, nmi/],
    ['a wrong depth', ['sweep', '--depth', '3'], /--depth must be 1 or 2, not '3'/],
    ['no workers', ['sweep', '--jobs', '0'], /--jobs must be a positive integer, not '0'/],
    ['jobs in words', ['sweep', '--jobs', 'two'], /--jobs must be a positive integer, not 'two'/],
    ['half a budget', ['sweep', '--budget', '0.5'], /--budget must be a positive integer/],
    ['an option twice', ['sweep', '--jobs', '1', '--jobs', '2'], /--jobs is given 2 times/],
    ['an option without its value', ['sweep', '--json'], /--json needs a value/],
    // An empty list is not "all": a sweep for no policy would be as promised at every point.
    ['--policy and no name', ['sweep', 'calls/pac', '--policy'], /--policy needs a value/],
    ['--kind and no name', ['sweep', 'calls/pac', '--kind'], /--kind needs a value/],
    ['kunit for no policy', ['kunit', '--policy'], /--policy needs a value/],
    ['kunit without a case', ['kunit', '--policy', 'sframe-v5', '--case'], /--case needs a value/],
    [
      'debug for no policy',
      ['debug', 'calls/pac', '--policy', '--print'],
      /--policy needs a value/,
    ],
    ['--function and no name', ['sweep', '--image', LEAF_ELF, '--function'], /--function needs a/],
    ['--function alone', ['sweep', '--function', 'f'], /--function needs --image/],
    ['--args alone', ['sweep', '--args', '1'], /--args needs --image/],
    ['--image alone', ['sweep', '--image', LEAF_ELF], /--image needs --function/],
    ['--image and a scenario', ['sweep', 'leaf', ...image], /cannot be combined/],
    ['a point of no scenario', ['sweep', '--point', '1:irq'], /needs exactly one scenario, none/],
    ['a point of many', ['sweep', 'leaf', '--point', '1:irq'], /exactly one scenario, \d+ match/],
    ['no point', ['sweep', 'leaf/strlen', '--point', '1:fiq'], /--point '1:fiq' is not INDEX:KIND/],
    ['a point and kinds', ['sweep', '--point', '1:irq', '--kind', 'irq'], /drop --kind/],
    ['an unknown family', ['list', '--family', 'x'], /unknown family 'x'; there are calls, leaf/],
    ['an unknown topic', ['list', '--topic', 'lef'], /no scenario of topic 'lef'; did you mean/],
    ['an argument of no form', ['sweep', ...image, '--args', 'ten'], /'ten' is not a number, buf:/],
    ['an empty buffer', ['sweep', ...image, '--args', 'buf:0'], /buf:0: the size must be 1 to/],
    ['a large fill', ['sweep', ...image, '--args', 'buf:1:256'], /the fill must be 0 to 255/],
    [
      'nine arguments',
      ['sweep', ...image, '--args', ...Array.from({ length: 9 }, String)],
      /9 arguments, but x0\.\.x7 take 8/,
    ],
  ];
  it.each(lines)('%s', async (_, args, message) => {
    await expectOneLine(args, message);
  });

  it('kinds that no scenario takes: a sweep of nothing is not as promised', async () => {
    const args = ['sweep', 'review/fgraph-window', '--kind', 'irq,sdei', '--jobs', '1'];
    await expectOneLine(
      [...args, '--no-progress'],
      /nothing was judged: no irq, sdei is taken in review\/fgraph-window, only nmi\n$/,
    );
  });

  it('a point that the scenario does not reach', async () => {
    const args = ['sweep', 'leaf/strlen', '--jobs', '1', '--point'];
    await expectOneLine(
      [...args, '9999:irq'],
      /executes \d+ instructions: there is no instruction 9999/,
    );
    await expectOneLine(
      [...args, '1:irq/99999:nmi'],
      /no nmi is possible at that inner instruction/,
    );
  });
});

describe('a report that cannot be written', () => {
  it.each([
    ['in no directory', 'none/report.json', /none\/report\.json: no such directory/],
    ['below a file', 'file/report.json', /a part of the path is not a directory/],
    ['at a directory', '.', /it is a directory/],
  ])('%s: known before the sweep, and nothing is left behind', async (_, name, message) => {
    writeFileSync(inFolder('file'), '');
    const before = readdirSync(folder.path);
    await expectOneLine(['sweep', 'leaf/strlen', '--json', inFolder(name)], message);
    expect(readdirSync(folder.path)).toEqual(before);
  });
});

it('says what to install when there is no engine', () => {
  const environment = { KUNWIND_LIBUNICORN: '/nonexistent/libunicorn.so' };
  expectRefusal(run(['sweep', 'leaf/strlen'], environment), /KUNWIND_LIBUNICORN=/);
});

it('does not depend on the language of the user', () => {
  const environment = { LC_ALL: 'de_DE.UTF-8', LANG: 'de_DE' };
  expectRefusal(run(['swep'], environment), /unknown command 'swep'/);
});
