/** Kernels with a single unwinder, of which nothing says what policy it follows. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseElf } from '../../elf/image.js';
import { GUEST, type KernelSweep, sweeper } from './kernel-sweep.js';
import { ROOT, scratchFolder } from './run-cli.js';
import { runWithOneJob } from './shared-session.js';

const folder = scratchFolder();
afterAll(() => {
  folder.remove();
});
const sweep = sweeper(folder.path, runWithOneJob);
const FUNCTION = ['--function', 'unregister_kprobe'];

/**
 * A copy of the guest kernel whose unwinder is always this one, and that has no kunwind_variant: the
 * variable has another name, and its loads are `mov wN, #variant`.
 */
function writeSingle(name: string, variant: number): string {
  const file = readFileSync(join(ROOT, GUEST));
  const elf = parseElf(GUEST, file);
  if (!elf.ok) throw new Error('the guest kernel cannot be read');
  const symbol = elf.value.symbols.find((one) => one.name === 'kunwind_variant');
  const text = elf.value.sections.find((one) => one.name === '.text');
  const names = file.indexOf('\0kunwind_variant\0');
  if (symbol === undefined || text === undefined || names < 0) throw new Error('no such variable');
  file[names + 1] = 'K'.charCodeAt(0);
  // ldr wT, [xN, #offset in its page]
  const load = (0xb9400000 | ((symbol.address & 0xfff) << 8)) >>> 0;
  let loads = 0;
  for (let at = text.offset; at < text.offset + text.size; at += 4) {
    const word = file.readUInt32LE(at);
    if ((word & 0xfffffc00) >>> 0 !== load) continue;
    file.writeUInt32LE((0x52800000 | (variant << 5) | (word & 31)) >>> 0, at);
    loads++;
  }
  // One for each mode of a walk.
  expect(loads).toBe(2);
  const path = join(folder.path, name);
  writeFileSync(path, file);
  return path;
}

describe("a kernel whose only unwinder is not mainline's", () => {
  let outcome: KernelSweep;
  beforeAll(async () => {
    outcome = await sweep(writeSingle('strict', 7), ...FUNCTION);
  });

  it('is compared with frame-pointer, and told which policies agree', () => {
    expect(outcome.status).toBe(1);
    expect(Object.keys(outcome.json?.policies ?? {})).toEqual(['frame-pointer']);
    const text = outcome.stdout.replace(/\s+/g, ' ');
    expect(text).toContain(
      "hint: 0 of the kernel's 42 walks agree with frame-pointer, but 42 agree " +
        'with sframe-v5, sframe-v6, sframe-strict, fgraph-detect, fgraph-recover: ' +
        'try --policy sframe-strict',
    );
    const agreed = outcome.json?.agreements?.map((one) => [one.policy, one.agreed, one.compared]);
    expect(agreed).toContainEqual(['frame-pointer', 0, 42]);
    expect(agreed).toContainEqual(['sframe-strict', 42, 42]);
  });

  it('has equal disagreements once, with their count', () => {
    const headings = outcome.stdout.split('\n').filter((line) => line.includes('kernel and model'));
    expect(headings).toEqual([
      '  ✗ kernel and model differ in reliability 21 times',
      '  ✗ kernel and model differ in entries 21 times',
    ]);
    expect(outcome.stdout.match(/kinds irq, nmi, serror$/gm)).toHaveLength(2);
    // The report still tells them apart.
    expect(outcome.json?.scenarios[0]?.disagreements).toHaveLength(6);
  });

  it('agrees when the policy is named, and gets no hint', async () => {
    const named = await sweep(writeSingle('strict', 7), ...FUNCTION, '--policy', 'sframe-strict');
    expect(named.status).toBe(0);
    expect(named.stdout).toContain('42 walks compared, no disagreement');
    expect(named.stdout).not.toContain('hint:');
    expect(named.json?.agreements).toBeUndefined();
  });

  it('gets the hint as well when another policy is named', async () => {
    const file = writeSingle('mainline', 0);
    const { stdout } = await sweep(file, ...FUNCTION, '--policy', 'sframe-strict');
    expect(stdout.replace(/\s+/g, ' ')).toMatch(
      /0 of the kernel's 42 walks agree with sframe-strict, but 42 agree with frame-pointer: try --policy frame-pointer/,
    );
  });
});
