/** Planted trouble: a sweep must say so, each kind in its own words. */
import { afterEach, describe, expect, it } from 'vitest';
import { Reg } from '../../emulator/registers.js';
import { Kind } from '../../kernel-model/exception-kind.js';
import { PT_REGS_SIZE } from '../../kernel-model/kernel-image.js';
import { StackSlot } from '../../kernel-model/stacks.js';
import type { LabParts } from '../../lab/lab-parts.js';
import { UDF } from '../assembled.js';
import { type FamilyName, scenario, SCENARIOS, sweepParts } from '../machine-fixture.js';
import { type RunOptions, runSweep } from './sweep-run.js';

let parts: LabParts | undefined;
afterEach(() => {
  parts?.machine.close();
  parts = undefined;
});

function create(family: FamilyName): LabParts {
  return (parts = sweepParts(family));
}

const IRQ = 1 << Kind.IRQ;

describe('a host that changes memory during a walk', () => {
  it.each([
    ['a word of the interrupted stack', 0, 'the interrupted stack was written above SP'],
    ['saved x3', 24 - PT_REGS_SIZE, 'x3 differs after the return'],
    ['the saved PC', 256 - PT_REGS_SIZE, 'pc differs after the return'],
  ])('is found out: %s', (_, offset, detail) => {
    const on = create('entry');
    const { memory, stepper } = on.machine;
    let walks = 0;
    const run = runSweep(on, SCENARIOS.trivial, {
      kinds: IRQ,
      giveUp: true,
      walked: ({ index }) => {
        // Once, at the second instruction: by then the path is learned.
        if (index !== 1 || walks++ > 0) return;
        const at = stepper.registers.get(Reg.SP) + offset;
        memory.writeAddress(at, (memory.readAddress(at) ?? 0) + 4);
      },
    });
    expect(run.problems).toEqual([
      { kind: 'not-restored', point: { index: 1, kind: Kind.IRQ }, pc: stepper.pc, detail },
    ]);
    expect(run.end).toEqual({ instructions: 1, finished: false });
  });

  it('is found out inside an exception too', () => {
    const on = create('entry');
    const { memory, kernel } = on.machine;
    let walks = 0;
    const run = runSweep(on, SCENARIOS.trivial, {
      to: 1,
      kinds: 0,
      outerKinds: IRQ,
      innerKinds: 1 << Kind.SDEI,
      giveUp: true,
      walked: ({ inner }) => {
        if (inner?.index !== 60 || walks++ > 0) return;
        // x19 of the outer context, saved by the event's entry code.
        const at = kernel.roles.sdeiNormalEvent + 8 * 19;
        memory.writeAddress(at, (memory.readAddress(at) ?? 0) + 1);
      },
    });
    expect(run.problems).toMatchObject([
      {
        kind: 'not-restored',
        point: { index: 0, kind: Kind.IRQ, inner: { index: 60, kind: Kind.SDEI } },
        detail: 'x19 differs after the return',
      },
    ]);
  });

  it('is found out when only the outer exception had that stack', () => {
    const on = create('entry');
    const { memory, stepper } = on.machine;
    let outerSp = 0;
    let changed = false;
    const run = runSweep(on, SCENARIOS.trivial, {
      to: 1,
      kinds: 0,
      outerKinds: IRQ,
      innerKinds: 1 << Kind.SDEI,
      giveUp: true,
      walked: ({ inner }) => {
        if (inner?.index === 0) outerSp = stepper.registers.get(Reg.SP);
        if (changed || on.stacks.slotOf(stepper.registers.get(Reg.SP)) !== StackSlot.IRQ) return;
        changed = true;
        memory.writeAddress(outerSp, (memory.readAddress(outerSp) ?? 0) + 4);
      },
    });
    expect(run.problems).toMatchObject([
      {
        kind: 'not-restored',
        point: { index: 0, kind: Kind.IRQ },
        detail: 'the interrupted stack was written above SP',
      },
    ]);
    expect(run.problems[0]?.point).not.toHaveProperty('inner');
  });
});

describe('guest code that goes astray', () => {
  it('in the handler is reported with its point', () => {
    const on = create('entry');
    const astray = (to: string): RunOptions => ({
      kinds: IRQ,
      giveUp: true,
      before: ({ machine: { memory, symbols } }) => {
        const address = (name: string) => symbols.byName(name)?.address ?? NaN;
        memory.writeAddress(address('handle_arch_irq'), to === '' ? -65536 : address(to));
      },
    });
    const kinds = ['__kw_warn', '', 'kunwind_done'].map((to) => {
      const { problems, end } = runSweep(on, SCENARIOS.trivial, astray(to));
      expect(end.finished).toBe(false);
      expect(problems).toHaveLength(1);
      expect(problems[0]?.point).toEqual({ index: 0, kind: Kind.IRQ });
      return problems[0]?.kind;
    });
    expect(kinds).toEqual(['no-request', 'engine', 'runaway']);
  });

  it('in the scenario is reported without one', () => {
    const on = create('entry');
    const run = runSweep(on, SCENARIOS.trivial, {
      kinds: 0,
      before: ({ machine }) => {
        machine.patchCode([
          { address: machine.symbols.byName('entry_trivial')?.address ?? 0, word: UDF },
        ]);
      },
    });
    expect(run.problems).toMatchObject([{ kind: 'scenario', point: undefined }]);
    expect(run.end).toMatchObject({ finished: false });
  });

  it('for ever is stopped by the budget', () => {
    const on = create('calls');
    const run = runSweep(on, scenario('recursion_sum', [1_000]), { kinds: 0, budget: 500 });
    expect(run.problems).toMatchObject([{ kind: 'runaway', point: undefined }]);
    expect(run.end.finished).toBe(false);
  });
});

describe('a sweep that ended in another task', () => {
  it('does not leave its stack to the next one', () => {
    const on = create('tasks');
    const { initTask } = on.machine.kernel.roles;
    const own = on.stacks.ofTask(initTask)?.low;
    let to = 0;
    // Stop where the second task is current.
    for (to = 50; to < 5000; to += 10) {
      runSweep(on, SCENARIOS.tasks, { to, kinds: 0 });
      if (on.stacks.all[StackSlot.TASK]?.low !== own) break;
    }
    expect(on.stacks.all[StackSlot.TASK]?.low).not.toBe(own);
    runSweep(on, SCENARIOS.tasks, { to: 1 });
    expect(on.stacks.all[StackSlot.TASK]?.low).toBe(own);
  });
});
