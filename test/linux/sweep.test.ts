/** `kunwind-lab sweep --kernel` of a kernel that was built, as a user runs it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { kernelOptions } from '../../cli/kernel-options.js';
import { sweeper } from '../cli/kernel-sweep.js';
import { run, scratchFolder } from '../cli/run-cli.js';
import { HAS_KERNELS, LEAF_KERNEL, PLAIN_KERNEL } from './kernels.js';

/** Text that a regular expression takes literally. */
function escaped(text: string): string {
  return text.replace(/[*]/g, '\\$&');
}

const folder = scratchFolder();
afterAll(() => {
  folder.remove();
});

const sweep = sweeper(folder.path, run);

describe.skipIf(!HAS_KERNELS)('Linux 7.3-rc7', () => {
  it('has every annotated routine of arch/arm64/lib exact under sframe-strict', async () => {
    const { json } = await sweep(LEAF_KERNEL, '--policy', 'sframe-strict');
    const routines = json?.scenarios.filter(({ name }) => !name.includes(':crc32')) ?? [];
    expect(routines.length).toBeGreaterThanOrEqual(20);
    for (const { name, points, problems, policies } of routines) {
      expect([name, problems, policies['sframe-strict']?.exact]).toEqual([name, [], points]);
    }
  });

  it('interrupts its own entry and exit code, and comes back', async () => {
    const args = ['--function', '__pi_memcpy', '--depth', '2', '--policy', 'sframe-strict'];
    const { status, json } = await sweep(LEAF_KERNEL, ...args);
    expect(status).toBe(0);
    expect(json?.points).toBeGreaterThan(20_000);
    expect(json?.policies['sframe-strict']?.missing).toBe(0);
  });

  it('without the annotation is unreliable in the same routine', async () => {
    const { status, json } = await sweep(
      PLAIN_KERNEL,
      '--function',
      '__pi_strlen',
      '--policy',
      'sframe-strict',
    );
    expect(status).toBe(0);
    expect(json?.policies['sframe-strict']?.unreliable).toBe(json?.points);
  });

  it('names what needs a booted kernel', async () => {
    const outcome = await sweep(
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
  ])('goes on behind %s, and names its line', async (_, fn, args, detail, kinds) => {
    const outcome = await sweep(
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

  it('says so when a function is not traced after all', async () => {
    const offsets = join(folder.path, 'offsets.h');
    writeFileSync(offsets, '#define TSK_RET_STACK 2184\n#define TSK_CURR_RET_STACK 2176\n');
    const args = ['--function', 'fgraph:int_sqrt', '--policy', 'frame-pointer', '--kind', 'irq'];
    const { status, json } = await sweep(LEAF_KERNEL, ...args, '--offsets', offsets);
    expect(status).toBe(1);
    const problems = json?.scenarios[0]?.problems.map(({ detail }) => detail);
    expect(problems).toEqual([
      expect.stringMatching(/int_sqrt returned without reaching its tracer/),
    ]);
  });

  it('samples functions that are traced', async () => {
    const patterns = 'fgraph:str*,kretprobe:int_*';
    const args = ['--function', patterns, '--sample', '1', '--policy', 'sframe-strict'];
    const { stderr, json } = await sweep(LEAF_KERNEL, ...args, '--kind', 'irq');
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
    [{ function: 'kretprobe:str*@int_sqrt' }, 'a kretprobe can be on one function only'],
    [{ function: 'fgraph:nothing_like_it@int_sqrt' }, 'no function nothing_like_it'],
    [{ function: 'nothing_like_it*', sample: '2' }, "no function matches 'nothing_like_it*'"],
  ])('says in one line what is wrong with %j', (given, message) => {
    expect(() => kernelOptions(given, LEAF_KERNEL)).toThrow(
      new RegExp(`^[^\\n]*${escaped(message)}`),
    );
  });

  it('replays a finding in a traced function by its command', async () => {
    const args = ['--function', 'fgraph:int_sqrt', '--args', '1000', '--policy', 'sframe-strict'];
    const { status, json } = await sweep(LEAF_KERNEL, ...args, '--kind', 'irq');
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
