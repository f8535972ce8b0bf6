import { afterAll, describe, expect, it } from 'vitest';
import { ScenarioCpu } from '../../kernel-model/scenario-cpu.js';
import { threadResult } from '../../kernel-model/thread-call.js';
import { family as calls } from '../../scenarios/calls/calls.js';
import { family as kretprobes } from '../../scenarios/kretprobe/kretprobe.js';
import type { Scenario } from '../../scenarios/scenario.js';
import { kprobeRefusal } from '../../lab/kprobe-setup.js';
import { setUpScenario } from '../../lab/scenario-setup.js';
import type { LabParts } from '../../lab/lab-parts.js';
import { EXHAUSTIVE, sample } from '../exhaustive.js';
import { type FamilyName, setUp, sweepParts } from '../machine-fixture.js';

const made = new Map<FamilyName, LabParts>();
afterAll(() => {
  for (const { machine } of made.values()) machine.close();
});

/** One machine for each family: what a scenario leaves behind would show in the next one. */
function partsOf(family: FamilyName): LabParts {
  const known = made.get(family) ?? sweepParts(family);
  made.set(family, known);
  return known;
}

/** Runs a scenario to the end of its thread. Returns x0 and what is still pending. */
function run(parts: LabParts, which: Scenario): { result: number | undefined; pending: number } {
  const { machine, stacks } = parts;
  setUp(machine, which);
  const cpu = new ScenarioCpu(machine, stacks);
  cpu.reset();
  for (let i = 0; i < 100_000 && machine.stepper.pc !== machine.kernel.roles.threadDone; i++) {
    if (!cpu.step()) throw new Error(cpu.problem);
  }
  expect(cpu.inBreakpoint).toBe(false);
  return { result: threadResult(machine), pending: cpu.truth.current.depth };
}

describe('a kprobe', () => {
  it('on any instruction of any called function changes neither results nor truth', () => {
    const parts = partsOf('calls');
    const { machine } = parts;
    let probes = 0;
    for (const scenario of calls.scenarios) {
      const plain = run(parts, scenario);
      const entry = machine.symbols.byName(scenario.entry);
      if (entry === undefined) throw new Error(scenario.entry);
      const offsets = Array.from({ length: entry.size / 4 }, (_, i) => 4 * i).filter(
        (offset) => kprobeRefusal(machine, entry.address + offset) === undefined,
      );
      for (const offset of sample(offsets, 2)) {
        const kprobes = [{ symbol: scenario.entry, offset }];
        expect([scenario.name, offset, run(parts, { ...scenario, kprobes })]).toEqual([
          scenario.name,
          offset,
          plain,
        ]);
        probes++;
      }
    }
    expect(probes).toBeGreaterThan(EXHAUSTIVE ? 200 : 40);
  });

  it('is refused where Linux refuses it', () => {
    const { machine } = partsOf('fgraph');
    const at = (name: string, offset: number): string | undefined =>
      kprobeRefusal(machine, (machine.symbols.byName(name)?.address ?? 0) + offset);
    expect(at('return_to_handler', 0)).toBeUndefined();
    expect(at('fgraph_leaf', 4)).toBeUndefined();
    expect(at('fgraph_leaf', 8)).toBe('ftrace patch site');
    expect(at('vectors', 0x200)).toBe('blacklisted');
    expect(at('kprobe_insn_slots', 0)).toBe('blacklisted');
    expect(at('kprobe_table', 0)).toBe('not code');
    const symbol = 'fgraph_leaf';
    const refused = { name: 't/x', summary: '', entry: symbol, kprobes: [{ symbol, offset: 8 }] };
    expect(setUpScenario(machine, refused)).toMatchObject({
      kind: 'kprobe',
      error: { kind: 'kprobe-refused' },
    });
  });

  it('is gone in the next scenario', () => {
    const parts = partsOf('fgraph');
    const { machine } = parts;
    const plain: Scenario = {
      name: 't/leaf',
      summary: '',
      entry: 'fgraph_leaf_entry',
      args: [{ number: 10 }],
    };
    const site = machine.symbols.byName('fgraph_leaf')?.address ?? 0;
    const word = machine.memory.readWord(site);
    const probed = { ...plain, traced: ['fgraph_leaf'], kprobes: [{ symbol: 'fgraph_leaf' }] };
    expect(run(parts, probed).result).toBe(31);
    expect(machine.breakpoints.size).toBe(1);
    expect(machine.memory.readWord(site)).not.toBe(word);
    expect(run(parts, plain).result).toBe(31);
    expect(machine.breakpoints.size).toBe(0);
    expect(machine.memory.readWord(site)).toBe(word);
  });
});

describe('kretprobes', () => {
  it.each(kretprobes.scenarios.map((scenario) => [scenario.name, scenario] as const))(
    '%s: returns where it should, and nothing stays behind',
    (_name, scenario) => {
      const parts = partsOf('kretprobe');
      const plain = run(parts, { ...scenario, kretprobes: [], traced: [] });
      expect(plain.result).toBe(scenario.result);
      expect(run(parts, scenario)).toEqual(plain);
      const { memory, kernel } = parts.machine;
      expect(memory.readAddress(kernel.roles.initTask + kernel.offsets.taskKretprobes)).toBe(0);
      expect(memory.readWord(kernel.roles.initTask + kernel.offsets.taskCurrRetStack)).toBe(0);
    },
  );
});
