/** The helpers that a sweep asks at every point: which function, which task, which stack. */
import { afterEach, describe, expect, it } from 'vitest';
import { Reg, RegisterFile } from '../../emulator/registers.js';
import { finalRecordOf } from '../../kernel-model/thread-call.js';
import { buildRules } from '../../lab/rules.js';
import type { LabParts } from '../../lab/lab-parts.js';
import { POLICIES } from '../../unwinder/policies/all.js';
import { WalkResult } from '../../unwinder/walk-result.js';
import {
  familyElf,
  guestKernel,
  SCENARIOS,
  setUp,
  stepTo,
  sweepParts,
} from '../machine-fixture.js';

let parts: LabParts | undefined;
afterEach(() => {
  parts?.machine.close();
  parts = undefined;
});

describe('FunctionIndex', () => {
  it('numbers functions by first use, and agrees with the symbol table everywhere', () => {
    parts = sweepParts('entry');
    const { functions, machine } = parts;
    expect(functions.names).toEqual(['?']);
    const address = (name: string) => machine.symbols.byName(name)?.address ?? NaN;
    expect(functions.at(address('entry_trivial'))).toBe(1);
    expect(functions.at(address('kthread'))).toBe(2);
    expect(functions.at(address('entry_trivial') + 4)).toBe(1);
    expect(functions.names).toEqual(['?', 'entry_trivial', 'kthread']);
    for (let again = 0; again < 2; again++) {
      for (const { low, words, runBytes } of machine.memory.regions) {
        if (runBytes === undefined) continue;
        for (let pc = low; pc < low + 4 * words.length; pc += 4) {
          const name = machine.symbols.at(pc)?.symbol.name ?? '?';
          if (functions.names[functions.at(pc)] !== name) {
            expect([pc, functions.names[functions.at(pc)]]).toEqual([pc, name]);
          }
        }
      }
    }
    expect(new Set(functions.names).size).toBe(functions.names.length);
  });

  it('has number 0 for what is no code', () => {
    parts = sweepParts('entry');
    const { functions, machine } = parts;
    for (const pc of [0, -4096, machine.kernel.roles.initTask]) expect(functions.at(pc)).toBe(0);
  });
});

describe('buildRules', () => {
  it('has rules for the annotated functions of every image, and none for entry code', () => {
    const kernel = guestKernel();
    const elf = familyElf('sdei');
    const rules = buildRules([kernel.elf, elf]);
    if (!rules.ok) throw new Error(rules.error.message);
    const find = (name: string): number => {
      const symbol = [...kernel.elf.symbols, ...elf.symbols].find((each) => each.name === name);
      return rules.value.find(symbol?.address ?? NaN);
    };
    for (const name of ['sdei_leaf', 'kthread', 'call_on_irq_stack', 'walk_request']) {
      expect([name, find(name) >= 0]).toEqual([name, true]);
    }
    for (const name of ['vectors', 'el1h_64_irq', 'return_to_handler']) {
      expect([name, find(name) >= 0]).toEqual([name, false]);
    }
  });

  it('names the image whose section is broken', () => {
    const elf = familyElf('sdei');
    const [section] = elf.sframe;
    if (section === undefined) throw new Error('no .sframe');
    const broken = { ...section, data: section.data.slice(0, 5) };
    const rules = buildRules([
      { ...elf, sframe: [broken], applyRelocations: elf.applyRelocations.bind(elf) },
    ]);
    expect(rules.ok).toBe(false);
    if (!rules.ok) expect(rules.error).toMatchObject({ kind: 'sframe', path: elf.path });
  });
});

describe('ModelWalker', () => {
  const request = (machine: LabParts['machine'], x0: number): RegisterFile => {
    const file = new RegisterFile();
    file.copyFrom(machine.stepper.registers);
    file.set(Reg.X0, x0);
    return file;
  };

  it('walks the current task from a request, as its frame records go', () => {
    parts = sweepParts('entry');
    const { machine, model } = parts;
    const entry = setUp(machine, SCENARIOS.trivial);
    stepTo(machine, entry);
    const { initTask } = machine.kernel.roles;
    expect(model.prepare(request(machine, initTask))).toBe(initTask);
    const out = new WalkResult();
    model.walk(POLICIES['frame-pointer'], 'reliable', out);
    expect([out.statusName(), out.endName(), out.faultName()]).toEqual(['none', 'final', 'none']);
    const names = [...out.entries.subarray(0, out.count)].map(
      (pc) => machine.symbols.at(pc)?.symbol.name,
    );
    expect(names.slice(0, 2)).toEqual(['kunwind_thread', 'kthread']);
    const low = parts.stacks.ofTask(initTask)?.low ?? 0;
    expect(out.fps[out.count - 1]).toBe(finalRecordOf(low));
  });

  it('walks a blocked task from what it saved when it was switched away from', () => {
    parts = sweepParts('tasks');
    const { machine, model } = parts;
    setUp(machine, SCENARIOS.tasks);
    const task = machine.kernel.symbol('kw_task_a') ?? 0;
    stepTo(machine, machine.kernel.roles.threadDone);
    expect(model.prepare(request(machine, task))).toBe(task);
    const out = new WalkResult();
    model.walk(POLICIES['frame-pointer'], 'reliable', out);
    expect(out.statusName()).toBe('none');
    const names = [...out.entries.subarray(0, out.count)].map(
      (pc) => machine.symbols.at(pc)?.symbol.name,
    );
    expect(names).toContain('tasks_worker');
    expect(names).not.toContain('tasks_switch_entry');
  });

  it('knows no other task', () => {
    parts = sweepParts('entry');
    const { machine, model } = parts;
    setUp(machine, SCENARIOS.trivial);
    for (const task of [0, machine.kernel.roles.initTask + 8]) {
      expect(model.prepare(request(machine, task))).toBeUndefined();
    }
  });
});
