import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { parseElf } from '../../emulator/elf-image.js';
import type { DoctorReport } from '../../sweep/doctor.js';
import { kernelOptions } from '../../cli/kernel-options.js';
import { buildElf, quads, TEXT_ADDRESS } from '../emulator/elf-builder.js';
import { GUEST, sweeper } from './kernel-sweep.js';
import { ROOT, run, scratchFolder } from './run-cli.js';

/** Text that a regular expression takes literally. */
function escaped(text: string): string {
  return text.replace(/[*]/g, '\\$&');
}

const folder = scratchFolder();
afterAll(() => {
  folder.remove();
});

const sweep = sweeper(folder.path);
const KERNELS = join(ROOT, '../shared/kernels');
const LEAF_KERNEL = join(KERNELS, 'vmlinux-7.3-rc7-leaf.gz');
const PLAIN_KERNEL = join(KERNELS, 'vmlinux-7.3-rc7.gz');

describe('a small kernel', () => {
  it('is run through its own entry code', () => {
    const args = ['--function', 'unregister_kprobe', '--policy', 'sframe-strict', '--depth', '2'];
    const { status, stderr, json } = sweep(GUEST, ...args);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(json?.scenarios[0]?.problems).toEqual([]);
    expect(json?.points).toBeGreaterThan(1000);
    expect(json?.policies['sframe-strict']).toMatchObject({ missing: 0, spurious: 0, fault: 0 });
  });

  it('gives the same sample for the same seed', () => {
    const args = ['--sample', '3', '--seed', '7', '--policy', 'frame-pointer'];
    const [first, second] = [sweep(GUEST, ...args), sweep(GUEST, ...args)];
    const namesOf = ({ json }: typeof first) => json?.scenarios.map(({ name }) => name);
    expect(namesOf(first)).toHaveLength(3);
    expect(namesOf(second)).toEqual(namesOf(first));
    expect(first.stderr).toMatch(/^kunwind-lab: 3 functions of \d+ tried/);
  });

  it('is examined by doctor', () => {
    const { status, stdout } = run(['doctor', '--kernel', GUEST, '--json']);
    const report = JSON.parse(stdout) as DoctorReport;
    expect(status).toBe(0);
    expect(report.usable).toBe(true);
    const state = (what: string) => report.items.find((item) => item.what === what)?.state;
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
    ['an unknown relocation', () => write('relocated', relocated()), /relocation type 257 is not/],
    ['no file', () => 'nowhere/vmlinux', /no such file/],
    ['cut xz', () => write('a.xz', Uint8Array.of(0xfd, 55, 122, 88, 90, 0, 0, 4)), /the xz data/],
    ['corrupt zstd', () => write('b.zst', corruptZstd()), /the zstd data is corrupt or cut short/],
    ['cut zstd', () => write('a.zst', Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 4)), /the zstd data/],
  ])('%s', (_, file, message) => {
    const { status, stdout, stderr } = run(['sweep', '--kernel', file()]);
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
    [['--image', GUEST], /--kernel and --image exclude each other/],
    [['leaf'], /--kernel and the scenario 'leaf' exclude each other/],
  ])('%j', (args, message) => {
    const { status, stderr } = run(['sweep', '--kernel', GUEST, ...args]);
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
  });
});

describe.skipIf(!existsSync(LEAF_KERNEL))('Linux 7.3-rc7', () => {
  it('has every annotated routine of arch/arm64/lib exact under sframe-strict', () => {
    const { json } = sweep(LEAF_KERNEL, '--policy', 'sframe-strict');
    const routines = json?.scenarios.filter(({ name }) => !name.includes(':crc32')) ?? [];
    expect(routines.length).toBeGreaterThanOrEqual(20);
    for (const { name, points, problems, policies } of routines) {
      expect([name, problems, policies['sframe-strict']?.exact]).toEqual([name, [], points]);
    }
  });

  it('interrupts its own entry and exit code, and comes back', () => {
    const args = ['--function', '__pi_memcpy', '--depth', '2', '--policy', 'sframe-strict'];
    const { status, json } = sweep(LEAF_KERNEL, ...args);
    expect(status).toBe(0);
    expect(json?.points).toBeGreaterThan(20_000);
    expect(json?.policies['sframe-strict']?.missing).toBe(0);
  });

  it('without the annotation is unreliable in the same routine', () => {
    const { status, json } = sweep(
      PLAIN_KERNEL,
      '--function',
      '__pi_strlen',
      '--policy',
      'sframe-strict',
    );
    expect(status).toBe(0);
    expect(json?.policies['sframe-strict']?.unreliable).toBe(json?.points);
  });

  it('names what needs a booted kernel', () => {
    const outcome = sweep(
      LEAF_KERNEL,
      '--function',
      'kmemdup_noprof',
      '--args',
      'buf:8',
      '8',
      '0xcc0',
    );
    expect(outcome.status).toBe(1);
    const [problem] = outcome.json?.scenarios[0]?.problems ?? [];
    expect(problem?.kind).toBe('unbooted');
    expect(problem?.detail).toMatch(/needs a booted kernel/);
  });

  it.each([
    [
      'a WARN_ON',
      'kretprobe_find_ret_addr',
      ['buf:64', '1', '0'],
      /^WARN at kernel\/kprobes\.c:\d+$/,
      // Marked NOKPROBE: no breakpoints.
      3,
    ],
    [
      'a WARN with a message',
      'refcount_warn_saturate',
      ['buf:64', '1'],
      /^WARN at lib\/refcount\.c:\d+$/,
      4,
    ],
  ])('goes on behind %s, and names its line', (_, fn, args, detail, kinds) => {
    const outcome = sweep(
      LEAF_KERNEL,
      ...['--function', fn, '--args', ...args, '--policy', 'sframe-strict', '--unwinder', 'model'],
    );
    expect(outcome.status).toBe(1);
    const [scenario] = outcome.json?.scenarios ?? [];
    expect(scenario?.problems.map((problem) => problem.kind)).toEqual(['warned']);
    expect(scenario?.problems[0]?.detail).toMatch(detail);
    // Points behind the WARN were taken, up to the return.
    expect(scenario?.policies['sframe-strict']?.exact).toBe(scenario?.points);
    expect(scenario?.points).toBe(kinds * (scenario?.instructions ?? NaN));
  });

  it('says what is missing for a tracer', () => {
    const { status, stderr } = run([
      ...['sweep', '--kernel', LEAF_KERNEL, '--function', 'fgraph:__pi_memcpy'],
    ]);
    expect(stderr).toMatch(/__pi_memcpy has no patch site/);
    expect(status).toBe(2);
  });

  it('says so when a function is not traced after all', () => {
    const offsets = join(folder.path, 'offsets.h');
    writeFileSync(offsets, '#define TSK_RET_STACK 2184\n#define TSK_CURR_RET_STACK 2176\n');
    const args = ['--function', 'fgraph:int_sqrt', '--policy', 'frame-pointer', '--kind', 'irq'];
    const { status, json } = sweep(LEAF_KERNEL, ...args, '--offsets', offsets);
    expect(status).toBe(1);
    const problems = json?.scenarios[0]?.problems.map(({ detail }) => detail);
    expect(problems).toEqual([expect.stringMatching(/int_sqrt returned without its tracer/)]);
  });

  it('samples functions that are traced', () => {
    const patterns = 'fgraph:str*,kretprobe:int_*';
    const args = ['--function', patterns, '--sample', '1', '--policy', 'sframe-strict'];
    const { stderr, json } = sweep(LEAF_KERNEL, ...args, '--kind', 'irq');
    expect(stderr).toMatch(/^kunwind-lab: 2 functions of \d+ tried/);
    const names = json?.scenarios.map(({ name }) => name.replace(/^.*?:/, ''));
    expect(names).toHaveLength(2);
    expect(names?.[0]).toMatch(/^fgraph:str/);
    expect(names?.[1]).toMatch(/^kretprobe:int_/);
    expect(json?.scenarios.flatMap(({ problems }) => problems)).toEqual([]);
    expect(json?.scenarios.flatMap(({ disagreements }) => disagreements)).toEqual([]);
    expect(json?.compared).toBe(2 * (json?.points ?? NaN));
    // Both were traced: a caller was skipped under function graph.
    const skipped = json?.scenarios.map(({ policies }) => policies['sframe-strict']?.missing !== 0);
    expect(skipped).toEqual([true, false]);
  });

  it.each([
    [{ function: 'fgraph:*' }, "--function 'fgraph:*' needs --sample"],
    [{ function: 'str*', sample: '2', args: ['1'] }, "exactly one --function, 'str*' is given"],
    [{ function: 'fgraph:' }, "--function 'fgraph:' names no function"],
    [{ function: 'fgraph:@int_sqrt' }, "--function 'fgraph:@int_sqrt' names no function"],
    [{ function: 'fgraph:int_sqrt@' }, "--function 'fgraph:int_sqrt@' names no function"],
    [{ function: 'kretprobe:str*@int_sqrt' }, 'a kretprobe is on one function'],
    [{ function: 'fgraph:nothing_like_it@int_sqrt' }, 'no function nothing_like_it'],
    [{ function: 'nothing_like_it*', sample: '2' }, "no function matches 'nothing_like_it*'"],
  ])('says in one line what is wrong with %j', (given, message) => {
    expect(() => kernelOptions(given, LEAF_KERNEL)).toThrow(
      new RegExp(`^[^\\n]*${escaped(message)}`),
    );
  });

  it('replays a finding in a traced function by its command', () => {
    const args = ['--function', 'fgraph:int_sqrt', '--args', '1000', '--policy', 'sframe-strict'];
    const { status, json } = sweep(LEAF_KERNEL, ...args, '--kind', 'irq');
    expect(status).toBe(1);
    const finding = json?.scenarios[0]?.findings.find(
      ({ fn }) => fn === 'ftrace_return_to_handler',
    );
    expect(finding?.example.verdict).toBe('missing');
    const words = finding?.replay.split(' ') ?? [];
    const replayed = run([...words.slice(2), '--print']);
    expect(replayed.stdout).toMatch(/missing/);
    expect(replayed.stdout).toContain(finding?.example.at);
  });

  it('is the same decompressed beforehand', () => {
    const path = join(folder.path, 'vmlinux');
    writeFileSync(path, gunzipSync(readFileSync(LEAF_KERNEL)));
    const { status } = run(['doctor', '--kernel', path]);
    expect(status).toBe(0);
  });
});
