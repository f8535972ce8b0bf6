/**
 * Entry code of a real kernel that saves something else than the CPU had: each store of pt_regs and of the
 * metadata record left out or misplaced, by patching words of ../shared/kernels' vmlinux.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Disassembler } from '../../aarch64/disassembler.js';
import { NOP } from '../../aarch64/encodings.js';
import { Kind } from '../../kernel-model/exception-kind.js';
import { Lab } from '../../lab/lab.js';
import type { LabParts } from '../../lab/lab-parts.js';
import type { Scenario } from '../../scenarios/scenario.js';
import { kernelTargets } from '../../targets/kernel-target.js';
import { sweeper } from '../cli/kernel-sweep.js';
import { run, scratchFolder } from '../cli/run-cli.js';
import { backend, must } from '../cpu-fixture.js';
import { CodePatch } from '../defects/code-patch.js';
import { ENTRY_STORES, STORE_DEFECTS } from '../defects/entry-stores.js';
import { runSweep } from '../sweep/sweep-run.js';
import { HAS_KERNELS, LEAF_KERNEL } from './kernels.js';

const disassembler = must(await Disassembler.create());
const folder = scratchFolder();
let lab: Lab | undefined;
let parts: LabParts;
let scenario: Scenario;

beforeAll(() => {
  if (!HAS_KERNELS) return;
  lab = must(Lab.create(backend()));
  const source = { file: 'vmlinux', path: LEAF_KERNEL } as const;
  const made = kernelTargets({ source, functions: ['int_sqrt'], args: [{ number: 100 }] });
  if (!made.ok) throw new Error(made.error);
  const [target] = made.value.targets;
  if (target === undefined) throw new Error('there is one target');
  scenario = target.scenario;
  parts = must(lab.machineFor(undefined, undefined, source));
});
afterAll(() => {
  lab?.close();
  folder.remove();
});

/** What is found at the first instruction when a function of the kernel is changed. */
function savedWith(kind: number, fn: string, change: (code: CodePatch) => void): string[] {
  const { machine } = parts;
  const symbol = machine.symbols.byName(fn);
  const region = machine.memory.regionAt(symbol?.address ?? 0);
  if (symbol === undefined || region === undefined) throw new Error(`no ${fn}`);
  const from = symbol.address - region.low;
  const code = new CodePatch(symbol, region.bytes.slice(from, from + symbol.size), disassembler);
  change(code);
  const patches = [...code.words].map((word, i) => ({ address: symbol.address + 4 * i, word }));
  const intact = patches.map(({ address }) => ({
    address,
    word: machine.memory.readWord(address) ?? 0,
  }));
  machine.patchCode(patches);
  try {
    const found = runSweep(parts, scenario, { to: 1, kinds: 1 << kind, giveUp: true });
    const saved = found.saved.map(({ point, detail }) => `${point} pt-regs-wrong: ${detail}`);
    // Without a request, nothing is compared.
    return saved.length > 0 ? saved : found.problems.map((problem) => problem.kind);
  } finally {
    machine.patchCode(intact);
  }
}

const KINDS = [
  ['el1h_64_irq', Kind.IRQ, 'irq'],
  ['el1h_64_sync', Kind.BRK, 'brk'],
] as const;

describe.skipIf(!HAS_KERNELS)('entry code of Linux 7.3-rc7', () => {
  it.each(KINDS)('%s saves what the CPU had (%i)', (fn, kind) => {
    expect(savedWith(kind, fn, () => undefined)).toEqual([]);
  });

  describe.each(KINDS)('%s (%i)', (fn, kind, name) => {
    it.each(
      ENTRY_STORES.flatMap((store) =>
        STORE_DEFECTS.map((defect) => [`${store.name} ${defect.name}`, store, defect] as const),
      ),
    )('%s', (_, store, { plant }) => {
      const [first, ...more] = savedWith(kind, fn, (code) => {
        plant(code, store);
      });
      // Which kprobe it is, the kernel looks up by the saved PC; without one it dies.
      const unknown = kind === Kind.BRK && store.red.includes(' pc ');
      expect(first).toContain(unknown ? 'unbooted' : `0:${name} ${store.red}`);
      expect(more).toEqual([]);
    });
  });

  it('without the zeros of the record is red on the command line', async () => {
    const bytes = gunzipSync(readFileSync(LEAF_KERNEL));
    const symbol = parts.machine.symbols.byName('el1h_64_irq');
    if (symbol === undefined) throw new Error('no el1h_64_irq');
    const { elf } = parts.machine.kernel;
    const section = elf.sections.find(
      ({ address, size }) => symbol.address >= address && symbol.address < address + size,
    );
    if (section === undefined) throw new Error('no section of el1h_64_irq');
    const low = section.offset + symbol.address - section.address;
    const code = new CodePatch(symbol, bytes.subarray(low, low + symbol.size), disassembler);
    const store = code.find(/^stp xzr, xzr, /);
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(low + 4 * store, NOP, true);
    const path = join(folder.path, 'vmlinux');
    writeFileSync(path, bytes);
    const sweep = sweeper(folder.path, run);
    const { status, json, stdout } = await sweep(path, '--function', 'int_sqrt', '--args', '100');
    expect(status).toBe(1);
    expect(stdout).toContain('entry code saved what the CPU did not have: the frame record has fp');
    expect(json?.scenarios[0]?.problems).toMatchObject(
      ['0:irq', '0:nmi'].map((point) => ({
        kind: 'pt-regs-wrong',
        point,
        saved: { register: 'record.fp', truth: '0x0000000000000000' },
      })),
    );
  });
});
