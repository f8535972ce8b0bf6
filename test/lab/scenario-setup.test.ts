import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Machine } from '../../kernel-model/machine.js';
import type { Scenario } from '../../scenarios/scenario.js';
import { describeSetupError, setUpScenario } from '../../lab/scenario-setup.js';
import { A64 } from '../assembled.js';
import { SCENARIOS, scenario, setUp, stepTo, sweepParts } from '../machine-fixture.js';

let machine: Machine;
beforeAll(() => {
  machine = sweepParts('fgraph').machine;
});
afterAll(() => {
  machine.close();
});

/** Whether the patch site of a function is enabled. */
function isTraced(name: string): boolean {
  const fn = machine.symbols.byName(name)?.address ?? 0;
  const words = [0, 4, 8].map((offset) => machine.memory.readWord(fn + offset));
  const enabled = words.includes(A64['mov x9, x30']);
  if (!enabled) expect(words.filter((word) => word === A64.nop).length).toBeGreaterThanOrEqual(2);
  return enabled;
}

function refused(which: Scenario): string {
  const error = setUpScenario(machine, which);
  return typeof error === 'number' ? 'set up' : describeSetupError(error);
}

const plain = scenario('fgraph_leaf_entry', [10]);

describe('setUpScenario', () => {
  it('brings the machine to a thread that will call the entry function', () => {
    const entry = setUp(machine, plain);
    expect(entry).toBe(machine.symbols.byName('fgraph_leaf_entry')?.address);
    expect(machine.stepper.pc).toBe(machine.kernel.roles.retFromFork);
    stepTo(machine, entry);
    expect(machine.stepper.registers.get(0)).toBe(10);
  });

  it('enables the patch sites of this scenario, and of no other', () => {
    setUp(machine, SCENARIOS.fgraphTail);
    expect([isTraced('fgraph_tail_first'), isTraced('fgraph_leaf')]).toEqual([true, false]);
    setUp(machine, SCENARIOS.fgraphLeaf);
    expect([isTraced('fgraph_tail_first'), isTraced('fgraph_leaf')]).toEqual([false, true]);
    setUp(machine, SCENARIOS.fgraphLeaf);
    expect(isTraced('fgraph_leaf')).toBe(true);
    setUp(machine, plain);
    expect(isTraced('fgraph_leaf')).toBe(false);
  });

  it('still knows what is enabled after a scenario that it refused', () => {
    setUp(machine, SCENARIOS.fgraphLeaf);
    expect(refused({ ...plain, traced: ['no_such_function'] })).toContain('no symbol');
    setUp(machine, plain);
    expect(isTraced('fgraph_leaf')).toBe(false);
  });

  it('says what is wrong, in one line', () => {
    expect(refused({ ...plain, entry: 'nothing' })).toMatch(
      /^scenario test\/\w+: no symbol nothing$/,
    );
    expect(refused({ ...plain, traced: ['nothing'] })).toMatch(/: no symbol nothing$/);
    expect(refused({ ...plain, traced: ['kthread'] })).toMatch(/: kthread has no patch site$/);
    expect(refused({ ...plain, walkTask: 'nothing' })).toMatch(/: no symbol nothing$/);
    expect(refused({ ...plain, args: [{ symbol: 'nothing' }] })).toMatch(/: no symbol nothing$/);
    const nine = new Array<{ number: number }>(9).fill({ number: 0 });
    expect(refused({ ...plain, args: nine })).toMatch(/: 9 arguments given, but x0\.\.x7 take 8$/);
  });

  it('resolves symbols, and fills buffers', () => {
    const entry = setUp(machine, {
      ...plain,
      args: [
        { symbol: 'init_task' },
        { buffer: { size: 32, text: 'abc', fill: 0x2a } },
        { buffer: { size: 2, text: 'longer' } },
      ],
    });
    stepTo(machine, entry);
    const { registers } = machine.stepper;
    expect(registers.get(0)).toBe(machine.kernel.roles.initTask);
    const text = (address: number, size: number): string => {
      const region = machine.memory.regionAt(address);
      const at = address - (region?.low ?? 0);
      return Buffer.from(region?.bytes.subarray(at, at + size) ?? []).toString('latin1');
    };
    expect(text(registers.get(1), 33)).toBe(`abc${'*'.repeat(29)}\0`);
    expect(text(registers.get(2), 3)).toBe('lo\0');
  });

  it('has another task walked when the scenario asks', () => {
    setUp(machine, { ...plain, walkTask: 'kw_task_a' });
    const { memory, kernel } = machine;
    expect(memory.readAddress(kernel.roles.walkTask)).toBe(kernel.symbol('kw_task_a'));
    setUp(machine, plain);
    expect(memory.readAddress(kernel.roles.walkTask)).toBe(0);
  });
});
