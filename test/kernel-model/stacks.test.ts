import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Machine } from '../../kernel-model/machine.js';
import { KernelStacks, StackSlot } from '../../kernel-model/stacks.js';
import { must } from '../cpu-fixture.js';
import { SCENARIOS, setUp, sweepParts } from '../machine-fixture.js';

let machine: Machine;
let stacks: KernelStacks;
beforeAll(() => {
  machine = sweepParts('tasks').machine;
});
afterAll(() => {
  machine.close();
});
beforeEach(() => {
  setUp(machine, SCENARIOS.tasks);
  stacks = must(KernelStacks.create(machine.kernel, machine.memory, machine.kernel.roles.initTask));
});

describe('KernelStacks', () => {
  it('finds five stacks of the sizes that Linux gives them', () => {
    const sizes = stacks.all.map(({ low, high }) => high - low);
    expect(sizes).toEqual([0x4000, 0x4000, 0x1000, 0x4000, 0x4000]);
    const stackOf = (name: string) => machine.symbols.byName(name)?.address ?? NaN;
    expect(stacks.all[StackSlot.OVERFLOW]?.low).toBe(stackOf('overflow_stack'));
    expect(stacks.all[StackSlot.TASK]?.low).toBe(stackOf('init_stack'));
    // The vectors tell an overflow by one bit of SP (docs/kernel-facts.md, "Memory and stacks").
    for (const slot of [StackSlot.TASK, StackSlot.IRQ]) {
      expect((stacks.all[slot]?.low ?? 1) % 0x8000 === 0).toBe(true);
    }
  });

  it('have live words and bytes', () => {
    const task = stacks.all[StackSlot.TASK];
    const at = task?.low ?? 0;
    machine.memory.writeWord(at + 8, 0x11223344);
    expect(task?.words[2]).toBe(0x11223344);
    expect(task?.bytes.readUInt32LE(8)).toBe(0x11223344);
    expect(task?.words.length).toBe(0x1000);
  });

  it('know which one an SP lies on, the empty stack included', () => {
    for (const [slot, { low, high }] of stacks.all.entries()) {
      expect(stacks.slotOf(high)).toBe(slot);
      expect(stacks.slotOf(high - 16)).toBe(slot);
      expect(stacks.slotOf(low + 1)).toBe(slot);
    }
    const free = machine.symbols.byName('vectors')?.address ?? 0;
    for (const sp of [0, free, -(2 ** 47)]) expect(stacks.slotOf(sp)).toBe(StackSlot.NONE);
    const lowest = Math.min(...stacks.all.map(({ low }) => low));
    expect(stacks.slotOf(lowest)).toBe(StackSlot.NONE);
  });

  it('follow the current task', () => {
    const task = machine.kernel.symbol('kw_task_a') ?? 0;
    const stack = stacks.ofTask(task);
    expect(stack).toBeDefined();
    const sp = (stack?.high ?? 0) - 16;
    expect(stacks.slotOf(sp)).toBe(StackSlot.NONE);
    expect(stacks.switchTo(task)).toBe(true);
    expect(stacks.slotOf(sp)).toBe(StackSlot.TASK);
    expect(stacks.switchTo(machine.kernel.roles.initTask)).toBe(true);
    expect(stacks.slotOf(sp)).toBe(StackSlot.NONE);
  });

  it('do not follow what is no task', () => {
    const before = stacks.all[StackSlot.TASK];
    expect(stacks.switchTo(0)).toBe(false);
    const { offsets, roles } = machine.kernel;
    machine.memory.writeAddress(roles.initTask + offsets.taskStack, 0x1000);
    expect(stacks.switchTo(roles.initTask)).toBe(false);
    expect(stacks.all[StackSlot.TASK]).toBe(before);
  });

  it('are an error when a pointer leads nowhere', () => {
    const { roles } = machine.kernel;
    machine.memory.writeAddress(roles.irqStackPointer, 0x123000);
    const made = KernelStacks.create(machine.kernel, machine.memory, roles.initTask);
    expect(made).toEqual({ ok: false, error: { kind: 'stack-not-mapped', at: '0x123000' } });
    expect(KernelStacks.create(machine.kernel, machine.memory, 0).ok).toBe(false);
  });
});
