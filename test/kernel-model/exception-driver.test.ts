/** Every kind of exception at every instruction of scenarios: in, look, out, and nothing changed. */
import { afterEach, describe, expect, it } from 'vitest';
import { Pstate, Reg, RegisterFile } from '../../emulator/registers.js';
import { ALL_KINDS, Kind, KIND_NAMES } from '../../kernel-model/exception-kind.js';
import { StackSlot } from '../../kernel-model/stacks.js';
import { SCENARIOS } from '../machine-fixture.js';
import { Driven } from './driver-fixture.js';

let driven: Driven | undefined;
afterEach(() => {
  driven?.machine.close();
  driven = undefined;
});

function start(...args: ConstructorParameters<typeof Driven>): Driven {
  return (driven = new Driven(...args));
}

/** Bits of preempt_count (include/linux/preempt.h, v7.3-rc7): in_nmi() and in_hardirq(). */
const NMI_MASK = 0xf0000000;
const HARDIRQ_MASK = 0x0f000000;

describe.each([
  ['entry', SCENARIOS.trivial],
  ['entry', SCENARIOS.irqsOff],
  ['sdei', SCENARIOS.prologue],
  ['fgraph', SCENARIOS.fgraphLeaf],
  ['fgraph', SCENARIOS.fgraphTail],
  ['tasks', SCENARIOS.tasks],
  ['calls', SCENARIOS.pac],
] as const)('in a scenario of %s', (family, scenario) => {
  it(`every exception comes back (${scenario.entry})`, () => {
    const at = start(family, scenario);
    const { driver, machine, stacks } = at;
    const { memory, kernel } = machine;
    const taken = [0, 0, 0, 0, 0];
    const before = new RegisterFile();
    const pmr = (): number | undefined => memory.readWord(kernel.roles.gicPmr);
    do {
      before.copyFrom(at.registers);
      driver.interruptAt(at.registers);
      const possible = driver.source.possible(at.registers);
      const known = driver.stackSlot === StackSlot.TASK;
      // Between the two halves of a task switch, SP and `current` belong to different tasks.
      if (!known) expect(machine.symbols.at(before.get(Reg.PC))?.symbol.name).toBe('cpu_switch_to');
      for (const [kind, name] of KIND_NAMES.entries()) {
        if ((possible & (1 << kind)) === 0) continue;
        taken[kind] = (taken[kind] ?? 0) + 1;
        const sp = before.get(Reg.SP);
        const stack = stacks.all[driver.stackSlot];
        const live = stack?.bytes.subarray(sp - stack.low);
        const saved = Buffer.from(live ?? []);
        const [pmrBefore, countBefore] = [pmr(), driver.preemptCount()];

        expect(at.enter(kind), name).toBe('DONE');
        // The handler asks for a walk of the task that was interrupted.
        const { request } = driver;
        expect(request.get(Reg.X0)).toBe(before.get(Reg.SP_EL0));
        expect(request.get(Reg.X30)).toBe(driver.path?.addresses[0]);
        const count = driver.preemptCount();
        expect((count & NMI_MASK) !== 0, name).toBe(
          kind !== Kind.IRQ || (countBefore & NMI_MASK) !== 0,
        );
        expect(count & HARDIRQ_MASK, name).not.toBe(0);
        const slot = stacks.slotOf(request.get(Reg.SP));
        if (kind === Kind.SDEI) expect(slot).toBe(StackSlot.SDEI_NORMAL);
        else if (!known) expect(slot).toBe(StackSlot.NONE);
        else expect(slot).toBe(kind <= Kind.NMI ? StackSlot.IRQ : StackSlot.TASK);

        expect(at.leave(), name).toBe('DONE');
        expect(before.firstDifference(driver.returned), name).toBe(-1);
        expect(before.firstDifference(at.registers, 38), name).toBe(-1);
        expect(live?.length ?? 0).toBe(saved.length);
        expect(Buffer.compare(live ?? Buffer.alloc(0), saved), name).toBe(0);
        expect([pmr(), driver.preemptCount()], name).toEqual([pmrBefore, countBefore]);
        expect(memory.readWord(kernel.roles.gicIar), name).toBe(0);
      }
    } while (at.step());
    for (const [kind, name] of KIND_NAMES.entries()) expect(taken[kind], name).toBeGreaterThan(0);
  });
});

describe('the calls between vector and walk request', () => {
  const HANDLERS: Readonly<Record<string, readonly string[]>> = {
    irq: ['kunwind_request_walk', 'generic_handle_irq', 'gic_handle_irq', 'call_on_irq_stack'],
    nmi: ['kunwind_request_walk', 'generic_handle_nmi', 'gic_handle_irq', 'call_on_irq_stack'],
    sdei: ['kunwind_request_walk', 'kunwind_sdei_callback', '__sdei_handler'],
    brk: ['kunwind_request_walk', 'kprobe_brk_handler', 'do_el1_brk64'],
    serror: ['kunwind_request_walk', 'do_serror', 'el1h_64_error_handler'],
  };
  const OUTERMOST: Readonly<Record<string, string>> = {
    irq: 'el1h_64_irq',
    nmi: 'el1h_64_irq',
    sdei: '__sdei_asm_handler',
    brk: 'el1h_64_sync',
    serror: 'el1h_64_error',
  };

  it.each(KIND_NAMES)('are those that the kernel source has, for %s', (name) => {
    const at = start('entry', SCENARIOS.trivial);
    at.driver.interruptAt(at.registers);
    for (let again = 0; again < 2; again++) {
      expect(at.enter(KIND_NAMES.indexOf(name))).toBe('DONE');
      const names = at.pathNames();
      const handlers = HANDLERS[name] ?? [];
      // A leaf handler may be inlined or tail-called; what is there is in this order.
      expect(handlers.filter((handler) => names.includes(handler)).length).toBeGreaterThan(1);
      const order = names.filter((each) => handlers.includes(each));
      expect(order).toEqual(handlers.filter((handler) => names.includes(handler)));
      expect(names[names.length - 1]).toBe(OUTERMOST[name]);
      expect(at.leave()).toBe('DONE');
    }
  });

  it('are the same executed freely and stepped', () => {
    const at = start('entry', SCENARIOS.trivial);
    at.driver.interruptAt(at.registers);
    for (const kind of KIND_NAMES.keys()) {
      const requests = [0, 1, 2].map(() => {
        expect(at.enter(kind)).toBe('DONE');
        const { request } = at.driver;
        const seen = [Reg.X0, Reg.X29, Reg.X30, Reg.SP].map((index) => request.get(index));
        expect(at.leave()).toBe('DONE');
        return seen;
      });
      expect(requests[1]).toEqual(requests[0]);
      expect(requests[2]).toEqual(requests[0]);
    }
  });
});

describe('the kinds that are possible', () => {
  const { IRQ, NMI, SDEI, BRK, SERROR } = Kind;
  const kinds = (...list: number[]): number => list.reduce((set, kind) => set | (1 << kind), 0);

  function possible(at: Driven, changes: Readonly<Record<number, number>>): number {
    return at.driver.source.possible(at.changed(changes));
  }

  it('are all of them in ordinary code with nothing masked', () => {
    const at = start('entry', SCENARIOS.trivial);
    expect(possible(at, { [Reg.PSTATE]: Pstate.EL1H })).toBe(ALL_KINDS);
    expect(ALL_KINDS).toBe(0x1f);
  });

  it('follow PSTATE.I and PSTATE.A; D and F mask none of them', () => {
    const at = start('entry', SCENARIOS.trivial);
    const under = (mask: number) => possible(at, { [Reg.PSTATE]: Pstate.EL1H | mask });
    expect(under(Pstate.I)).toBe(kinds(SDEI, BRK, SERROR));
    expect(under(Pstate.A)).toBe(kinds(IRQ, NMI, SDEI, BRK));
    expect(under(Pstate.D | Pstate.F)).toBe(ALL_KINDS);
    expect(under(Pstate.DAIF)).toBe(kinds(SDEI, BRK));
  });

  it('leave only pseudo-NMIs where the priority mask is raised', () => {
    const at = start('entry', SCENARIOS.trivial);
    at.machine.memory.writeWord(at.machine.kernel.roles.gicPmr, 0xc0);
    expect(possible(at, {})).toBe(ALL_KINDS & ~kinds(IRQ));
    expect(possible(at, { [Reg.PSTATE]: Pstate.EL1H | Pstate.I })).toBe(kinds(SDEI, BRK, SERROR));
  });

  it('have no breakpoint where kprobes are refused', () => {
    const at = start('entry', SCENARIOS.trivial);
    const inside = [
      'vectors',
      'el1h_64_irq',
      'ret_to_kernel',
      '__sdei_asm_handler',
      'el1h_64_irq_handler',
      'do_el1_brk64',
      'irqentry_nmi_enter',
      'gic_handle_irq',
    ];
    const outside = ['entry_trivial', 'kthread', 'generic_handle_irq', 'irq_enter_rcu'];
    const brk = (name: string) =>
      (possible(at, { [Reg.PC]: at.address(name) }) & kinds(BRK)) !== 0 ? 'brk' : 'no brk';
    for (const name of inside) expect([name, brk(name)]).toEqual([name, 'no brk']);
    for (const name of outside) expect([name, brk(name)]).toEqual([name, 'brk']);
    const end = at.address('__entry_text_end');
    expect(possible(at, { [Reg.PC]: end - 4 }) & kinds(BRK)).toBe(0);
  });

  it('have none inside a breakpoint, and SDEI events up to critical', () => {
    const at = start('entry', SCENARIOS.trivial);
    at.driver.source.inBreakpoint = true;
    expect(possible(at, {})).toBe(ALL_KINDS & ~kinds(BRK));
    at.driver.source.inBreakpoint = false;
    at.driver.source.sdeiLevel = 1;
    expect(possible(at, {})).toBe(ALL_KINDS);
    at.driver.source.sdeiLevel = 2;
    expect(possible(at, {})).toBe(ALL_KINDS & ~kinds(SDEI));
    at.driver.reset();
    expect(possible(at, {})).toBe(ALL_KINDS);
  });
});

describe('an SDEI event inside another', () => {
  it('is the critical one, on its own stack', () => {
    const at = start('entry', SCENARIOS.trivial);
    at.driver.source.sdeiLevel = 1;
    at.driver.interruptAt(at.registers);
    expect(at.enter(Kind.SDEI)).toBe('DONE');
    expect(at.stacks.slotOf(at.driver.request.get(Reg.SP))).toBe(StackSlot.SDEI_CRITICAL);
    expect(at.leave()).toBe('DONE');
  });

  it('brings the firmware interface of Arm DEN0054', () => {
    const at = start('entry', SCENARIOS.trivial);
    const file = at.changed({ [Reg.PSTATE]: Pstate.EL1H | Pstate.F });
    at.driver.source.deliver(Kind.SDEI, file);
    const { roles } = at.machine.kernel;
    const seen = [Reg.X0, Reg.X1, Reg.X2, Reg.X3, Reg.PC, Reg.PSTATE].map((i) => file.get(i));
    expect(seen).toEqual([
      0,
      roles.sdeiNormalEvent,
      at.registers.get(Reg.PC),
      Pstate.EL1H | Pstate.F,
      roles.sdeiHandler,
      Pstate.EL1H | Pstate.DAIF,
    ]);
    expect(file.get(Reg.SP)).toBe(at.registers.get(Reg.SP));
    for (let i = 4; i <= 30; i++) expect(file.get(i)).toBe(at.registers.get(i));
  });
});
