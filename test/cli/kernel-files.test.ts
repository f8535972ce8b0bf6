/** Kernels that lack something, and kernels that are compressed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, watch, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { GUEST, type KernelSweep, sweeper } from './kernel-sweep.js';
import { environment, MAIN, ROOT, run, type Run, scratchFolder } from './run-cli.js';
import { zstdFile } from '../compressed.js';
import { runShared, runWithOneJob } from './shared-session.js';

const folder = scratchFolder();
afterAll(() => {
  folder.remove();
});
const sweep = sweeper(folder.path, runWithOneJob);

/** How a sweep ended that has to be refused. */
async function refusal(kernel: string, ...args: readonly string[]): Promise<Run> {
  const report = join(folder.path, 'refused.json');
  return runShared(['sweep', '--kernel', kernel, ...args, '--json', report, '--no-progress']);
}

/** The small kernel with a symbol under another name: as if it did not have it. */
function writeWithout(symbol: string): string {
  const path = join(folder.path, `without-${symbol}`);
  const bytes = readFileSync(join(ROOT, GUEST));
  const at = bytes.indexOf(`\0${symbol}\0`);
  bytes[at + symbol.length] = 0x5f;
  writeFileSync(path, bytes);
  return path;
}

/** The small kernel with an empty `.sframe`. */
function writeWithoutSFrame(): string {
  const path = join(folder.path, 'without-sframe');
  const bytes = readFileSync(join(ROOT, GUEST));
  const sections = Number(bytes.readBigUInt64LE(40));
  for (let i = 0; i < bytes.readUInt16LE(60); i++) {
    const header = sections + 64 * i;
    if (bytes.readUInt32LE(header + 4) === 0x6ffffff4) bytes.writeBigUInt64LE(0n, header + 32);
  }
  writeFileSync(path, bytes);
  return path;
}

/** The small kernel with two empty tables in its `.sframe`, as lld would leave those of its objects. */
function writeWithTwoTables(): string {
  const path = join(folder.path, 'two-tables');
  const bytes = readFileSync(join(ROOT, GUEST));
  const sections = Number(bytes.readBigUInt64LE(40));
  for (let i = 0; i < bytes.readUInt16LE(60); i++) {
    const header = sections + 64 * i;
    if (bytes.readUInt32LE(header + 4) !== 0x6ffffff4) continue;
    const at = Number(bytes.readBigUInt64LE(header + 24));
    // Up to the counts and lengths, which are 0.
    const preamble = Buffer.from(bytes.subarray(at, at + 8));
    bytes.fill(0, at, at + 56);
    preamble.copy(bytes, at);
    preamble.copy(bytes, at + 28);
    bytes.writeBigUInt64LE(56n, header + 32);
  }
  writeFileSync(path, bytes);
  return path;
}

it('a kernel with two tables in .sframe would read one: doctor and sweep say so', async () => {
  const path = writeWithTwoTables();
  const { stdout } = await runShared(['doctor', '--kernel', path]);
  expect(stdout).toMatch(/^– \.sframe tables +2 tables, of which a kernel reads the first only/m);
  const { stderr } = await sweep(path, '--function', 'unregister_kprobe', '--kind', 'irq');
  expect(stderr).toContain(
    `kunwind-lab: warning: ${path}: .sframe holds 2 tables, one after the other, as lld leaves them: `,
  );
});

describe('a kernel that lacks', () => {
  const args = ['--function', 'unregister_kprobe', '--kind', 'irq'];

  it('its own unwinder is walked by the model, and says so', async () => {
    const kernel = writeWithout('arch_stack_walk_reliable');
    const { status, stderr, json } = await sweep(kernel, ...args, '--policy', 'sframe-strict');
    expect(stderr).toBe(
      `kunwind-lab: ${kernel} has no arch_stack_walk_reliable() of its own: using the model\n`,
    );
    expect(status).toBe(0);
    expect(json?.policies['sframe-strict']?.exact).toBe(json?.points);
    expect(json?.compared).toBe(0);
  });

  it.each([
    ['kernel', 'kernel'],
    // What it was called before.
    ['guest', 'kernel'],
    ['both', 'both'],
    ['checked', 'checked'],
  ])('it never has %s answered by the model', async (unwinder, meant) => {
    const kernel = writeWithout('arch_stack_walk');
    const { status, stdout, stderr } = await refusal(kernel, ...args, '--unwinder', unwinder);
    expect(stderr).toMatch(/^[^\n]* has no arch_stack_walk_reliable\(\) of its own: [^\n]*\n$/);
    expect(stderr).toContain(`: --unwinder ${meant} needs one`);
    expect(stdout).toBe('');
    expect(status).toBe(2);
  });

  it('variants is compared with the policy that is named', async () => {
    const kernel = writeWithout('kunwind_variant');
    const disagreements = ({ json }: KernelSweep) =>
      json?.scenarios.flatMap((scenario) => scenario.disagreements).length;
    // The variable, which nobody sets now, says 0.
    const mainline = await sweep(kernel, ...args);
    expect([mainline.status, disagreements(mainline)]).toEqual([0, 0]);
    expect(mainline.json?.compared).toBe(2 * (mainline.json?.points ?? NaN));
    expect(mainline.stdout).toMatch(/ model: [\d,]+ walks compared, no disagreement\n/);
    expect(Object.keys(mainline.json?.policies ?? {})).toEqual(['frame-pointer']);
    const strict = await sweep(kernel, ...args, '--policy', 'sframe-strict');
    expect(strict.status).toBe(1);
    expect(disagreements(strict)).toBeGreaterThan(0);
    expect(strict.stdout).toMatch(/ model: [\d,]+ walks compared, [1-9][\d,]* disagreements\n/);
    const several = await refusal(kernel, '--policy', 'frame-pointer,sframe-v6');
    expect(several.stderr).toMatch(/has one unwinder, [^\n]*: name one --policy, not 2\n$/);
    expect(several.status).toBe(2);
  });

  it('.sframe is swept under frame-pointer, and no other policy', async () => {
    const kernel = writeWithoutSFrame();
    const { status, stderr, json } = await sweep(kernel, ...args);
    expect(stderr).toMatch(/^[^\n]* has no \.sframe: the frame-pointer policy only\n$/);
    expect(status).toBe(0);
    expect(Object.keys(json?.policies ?? {})).toEqual(['frame-pointer']);
    for (const unwinder of ['both', 'model']) {
      const refused = await refusal(kernel, '--policy', 'sframe-strict', '--unwinder', unwinder);
      expect(refused.stderr).toMatch(/has no \.sframe: sframe-strict [^\n]*\n$/);
      expect([refused.status, refused.stdout]).toEqual([2, '']);
    }
  });
});

describe('offsets of another build', () => {
  it.each([
    ['TSK_STACK 40', /^kunwind-lab: [^\n]* init_task does not point to its stack there/],
    ['TSK_STACK 9', /^kunwind-lab: [^\n]* init_task does not point to its stack there/],
    [
      'TSK_TI_PREEMPT 24',
      /^kunwind-lab: [^\n]* init_task does not have its preempt_count of 1 there/,
    ],
  ])('%s is refused', async (define, message) => {
    const offsets = join(folder.path, 'asm-offsets.h');
    writeFileSync(offsets, `#define ${define}\n`);
    const given = ['--kernel', GUEST, '--offsets', offsets];
    const { status, stdout, stderr } = await runShared(['sweep', ...given]);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/: offsets of another build\?\n$/);
    expect([status, stdout]).toEqual([2, '']);
    expect((await runShared(['doctor', ...given])).status).toBe(1);
  });
});

describe('a compressed kernel', () => {
  const path = join(folder.path, 'vmlinux.zst');
  writeFileSync(path, zstdFile(readFileSync(join(ROOT, GUEST))));
  const scratch = join(folder.path, 'scratch');
  mkdirSync(scratch);
  const args = ['sweep', '--kernel', path, '--function', 'unregister_kprobe', '--no-progress'];

  it('is swept, and leaves no copy', () => {
    const { status, stderr } = run([...args, '--kind', 'irq'], { TMPDIR: scratch });
    expect([status, stderr]).toEqual([0, '']);
    expect(readdirSync(scratch)).toEqual([]);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('leaves no copy behind %s', async (signal) => {
    const child = spawn(process.execPath, [MAIN, ...args, '--depth', '2'], {
      cwd: ROOT,
      env: environment({ TMPDIR: scratch }),
      stdio: 'ignore',
    });
    const watcher = watch(scratch, () => child.kill(signal));
    const [code] = (await once(child, 'exit')) as [number | null];
    watcher.close();
    expect(code).toBe(128 + constants.signals[signal]);
    expect(readdirSync(scratch)).toEqual([]);
  });

  it('behind SIGKILL leaves one, which the next run removes', async () => {
    const child = spawn(process.execPath, [MAIN, ...args, '--depth', '2'], {
      cwd: ROOT,
      env: environment({ TMPDIR: scratch }),
      stdio: 'ignore',
    });
    const watcher = watch(scratch, () => child.kill('SIGKILL'));
    await once(child, 'exit');
    watcher.close();
    expect(readdirSync(scratch)).toHaveLength(1);
    const { status } = run(['doctor', '--kernel', path], { TMPDIR: scratch });
    expect(status).toBe(0);
    expect(readdirSync(scratch)).toEqual([]);
  });

  it('says where it cannot be decompressed', async () => {
    const extra = { TMPDIR: join(folder.path, 'nowhere') };
    const { status, stdout, stderr } = await runShared(args, extra);
    expect(stderr).toMatch(
      /^kunwind-lab: [^\n]*vmlinux\.zst: cannot be decompressed into [^\n]*nowhere: ENOENT[^\n]*\n$/,
    );
    expect([status, stdout]).toEqual([2, '']);
  });
});
