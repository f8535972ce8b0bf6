import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { parseElf } from '../../elf/image.js';
import type { DoctorReport } from '../../targets/doctor.js';
import { buildElf, quads, TEXT_ADDRESS } from '../elf/elf-builder.js';
import { GUEST, sweeper } from './kernel-sweep.js';
import { ROOT, scratchFolder } from './run-cli.js';
import { runShared, runWithOneJob } from './shared-session.js';

const folder = scratchFolder();
afterAll(() => {
  folder.remove();
});

const sweep = sweeper(folder.path, runWithOneJob);

describe('a small kernel', () => {
  it('is run through its own entry code', async () => {
    const args = ['--function', 'unregister_kprobe', '--policy', 'sframe-strict', '--depth', '2'];
    const { status, stderr, json } = await sweep(GUEST, ...args);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(json?.scenarios[0]?.problems).toEqual([]);
    expect(json?.points).toBeGreaterThan(1000);
    expect(json?.policies['sframe-strict']).toMatchObject({ missing: 0, spurious: 0, fault: 0 });
  });

  it('gives the same sample for the same seed', async () => {
    const args = ['--sample', '3', '--seed', '7', '--policy', 'frame-pointer'];
    const [first, second] = [await sweep(GUEST, ...args), await sweep(GUEST, ...args)];
    const namesOf = ({ json }: typeof first) => json?.scenarios.map(({ name }) => name);
    expect(namesOf(first)).toHaveLength(3);
    expect(namesOf(second)).toEqual(namesOf(first));
    expect(first.stderr).toMatch(/^kunwind-lab: 3 functions of \d+ tried/);
  });

  it('is examined by doctor', async () => {
    const { status, stdout } = await runShared(['doctor', '--kernel', GUEST, '--json']);
    const report = JSON.parse(stdout) as DoctorReport;
    expect(status).toBe(0);
    expect(report.usable).toBe(true);
    const state = (what: string) => report.items.find((item) => item.what === what)?.state;
    expect(report.items[0]?.what).toBe('CPU engine');
    expect(report.items[0]?.detail).toMatch(/^Unicorn 2\.\d+\.\d+ .*sweeps .* times as fast/);
    expect(state('irq taken')).toBe('ok');
    expect(state('serror taken')).toBe('ok');
    expect(state('brk')).toBe('missing');
    const offsets = report.items.find(({ what }) => what === 'structure offsets');
    expect(offsets?.detail).toBe('from init_task');
  });
});

describe('bad input is one line', () => {
  const write = (name: string, bytes: Uint8Array): string => {
    const path = join(folder.path, name);
    writeFileSync(path, bytes);
    return path;
  };
  const image = new Uint8Array(128);
  image.set(new TextEncoder().encode('ARMd'), 56);
  const guest = readFileSync(join(ROOT, GUEST));
  const changed = (offset: number, value: number): Uint8Array => {
    const copy = new Uint8Array(guest);
    copy[offset] = value;
    return copy;
  };
  const stripped = new Uint8Array(guest);
  stripped.fill(0, 40, 48);
  stripped.fill(0, 60, 64);

  /** A kernel with R_AARCH64_ABS64 among the relocations that it applies itself. */
  const relocated = (): Uint8Array =>
    buildElf({
      type: 3,
      segments: [{ address: TEXT_ADDRESS, data: quads(0n, 0n), flags: 6 }],
      sections: [{ name: '.rela.dyn', type: 4, flags: 2, data: quads(TEXT_ADDRESS, 257n, 1n) }],
    });

  /** What a linker compressed, with a byte changed. */
  const corruptZstd = (): Uint8Array => {
    const elf = readFileSync(join(ROOT, 'test/fixtures/dwarf/gcc-zstd.elf'));
    const parsed = parseElf('gcc-zstd.elf', elf);
    const data = parsed.ok ? parsed.value.section('.debug_info')?.data : undefined;
    const frame = Uint8Array.from(data?.subarray(24) ?? []);
    frame[10] = (frame[10] ?? 0) ^ 0xff;
    return frame;
  };

  it.each<readonly [string, () => string, RegExp]>([
    ['a boot Image', () => write('Image', image), /an arm64 boot Image/],
    ['a compressed boot Image', () => write('Image.gz', gzipSync(image)), /an arm64 boot Image/],
    ['a module', () => write('module.ko', changed(16, 1)), /relocatable object/],
    ['another architecture', () => write('x86', changed(18, 62)), /built for x86-64, not AArch64/],
    ['a stripped one', () => write('stripped', stripped), /the file is stripped/],
    ['a truncated one', () => write('cut', guest.subarray(0, guest.length / 2)), /truncated/],
    ['a program', () => 'scenarios/leaf/leaf.elf', /this is not an arm64 vmlinux/],
    [
      'an unknown relocation',
      () => write('relocated', relocated()),
      /R_AARCH64_ABS64 is not supported/,
    ],
    ['no file', () => 'nowhere/vmlinux', /no such file/],
    ['cut xz', () => write('a.xz', Uint8Array.of(0xfd, 55, 122, 88, 90, 0, 0, 4)), /the xz data/],
    ['corrupt zstd', () => write('b.zst', corruptZstd()), /the zstd data is corrupt or cut short/],
    ['cut zstd', () => write('a.zst', Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 4)), /the zstd data/],
  ])('%s', async (_, file, message) => {
    const { status, stdout, stderr } = await runShared(['sweep', '--kernel', file()]);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(stdout).toBe('');
    expect(status).toBe(2);
  });

  it.each([
    [['--function', 'no_such_function'], /no function no_such_function/],
    [['--args', '1'], /--args needs exactly one --function/],
    [['--seed', '1'], /--seed needs --sample/],
    [['--kind', 'irq,brk'], /--kind brk: no CONFIG_KPROBES: breakpoints are not taken/],
    [['--offsets', 'README.md'], /not an offsets file/],
    [['--image', GUEST], /--kernel and --image cannot be combined/],
    [['leaf'], /--kernel and the scenario 'leaf' cannot be combined/],
  ])('%j', async (args, message) => {
    const { status, stderr } = await runShared(['sweep', '--kernel', GUEST, ...args]);
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
  });
});
