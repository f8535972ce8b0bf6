/** Planted trouble: what happens between the walk request and the return must not go unnoticed. */
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { Pstate, Reg } from '../../emulator/registers.js';
import { type ExceptionKind, Kind, KIND_NAMES } from '../../kernel-model/exception-kind.js';
import { PT_REGS_SIZE } from '../../kernel-model/kernel-image.js';
import { SCENARIOS } from '../machine-fixture.js';
import { Driven } from './driver-fixture.js';

let driven: Driven | undefined;

/** The engines are not what they were: the next start makes others. */
function discard(): void {
  driven?.machine.close();
  driven = undefined;
}
afterAll(discard);

/** At the first instruction of a scenario. @param learned whether the exceptions' paths are known */
function start(learned: boolean): Driven {
  const at = (driven ??= new Driven('entry', SCENARIOS.trivial));
  at.restart(SCENARIOS.trivial);
  at.driver.reset();
  at.driver.interruptAt(at.registers);
  for (const kind of learned ? KIND_NAMES.keys() : []) {
    expect([at.enter(kind), at.leave()]).toEqual(['DONE', 'DONE']);
  }
  return at;
}

/** docs/kernel-facts.md, "struct pt_regs". */
const S_SP = 248;
const S_PC = 256;
const S_PSTATE = 264;
const S_PMR = 284;

const WITH_REGS: ExceptionKind[] = ['irq', 'nmi', 'brk', 'serror'];
const cases = [false, true].flatMap((learned) =>
  KIND_NAMES.map((name) => ({ learned, name, how: learned ? 'executed freely' : 'stepped' })),
);

describe.each(cases)('$name, $how', ({ learned, name }) => {
  const kind = KIND_NAMES.indexOf(name);
  const withRegs = WITH_REGS.includes(name);

  /** Plant something during the walk; how the return ends. */
  function leaveAfter(plant: (at: Driven, regs: number) => void): string {
    const at = start(learned);
    expect(at.enter(kind)).toBe('DONE');
    const sdei = at.machine.kernel.roles.sdeiNormalEvent;
    plant(at, withRegs ? at.registers.get(Reg.SP) - PT_REGS_SIZE : sdei);
    return at.leave();
  }

  it('comes back when nothing is planted', () => {
    expect(leaveAfter(() => undefined)).toBe('DONE');
  });

  it('notices a changed word of the interrupted stack, the lowest and the highest', () => {
    const at = (where: Driven) => {
      const { stacks, driver } = where;
      return stacks.all[driver.stackSlot]?.high ?? 0;
    };
    for (const address of [
      (where: Driven) => where.registers.get(Reg.SP),
      (where: Driven) => at(where) - 4,
    ]) {
      const end = leaveAfter((where) => {
        const { memory } = where.machine;
        const word = memory.readWord(address(where)) ?? 0;
        memory.writeWord(address(where), word ^ 0x80);
      });
      expect(end).toBe('STACK_CHANGED');
    }
  });

  it('notices a changed register', () => {
    // SDEI's handler restores x18, x19, x28, x29, x30 and SP; the rest is with the firmware.
    for (const index of withRegs ? [0, 5, 19, 28, 29, 30] : [18, 19, 28, 29, 30]) {
      const end = leaveAfter(({ machine }, regs) => {
        const value = machine.memory.readAddress(regs + 8 * index) ?? 0;
        machine.memory.writeAddress(regs + 8 * index, value + 1);
      });
      expect([index, end]).toEqual([index, 'REGISTER_CHANGED']);
      expect(driven?.driver.difference).toBe(index);
    }
  });

  it('notices a changed PC, PSTATE or SP', () => {
    const shift = (offset: number) => (at: Driven, regs: number) => {
      const { memory } = at.machine;
      memory.writeAddress(regs + offset, (memory.readAddress(regs + offset) ?? 0) + 4);
    };
    if (!withRegs) {
      expect(leaveAfter(shift(S_SP))).toBe('REGISTER_CHANGED');
      expect(driven?.driver.difference).toBe(Reg.SP);
      return;
    }
    expect(leaveAfter(shift(S_PC))).toBe('REGISTER_CHANGED');
    expect(driven?.driver.difference).toBe(Reg.PC);
    const flags = (at: Driven, regs: number) => {
      at.machine.memory.writeWord(regs + S_PSTATE, (Pstate.EL1H | (1 << 30)) >>> 0);
    };
    expect(leaveAfter(flags)).toBe('REGISTER_CHANGED');
    expect(driven?.driver.difference).toBe(Reg.PSTATE);
  });

  it('notices a return to another exception level', () => {
    if (!withRegs) return;
    for (const mode of [0, 4, 9]) {
      const end = leaveAfter(({ machine }, regs) => {
        machine.memory.writeWord(regs + S_PSTATE, mode);
      });
      expect(['NO_RETURN', 'ENGINE_ERROR']).toContain(end);
      discard();
    }
  });

  it('notices a changed priority mask or preempt_count', () => {
    const count = ({ machine }: Driven) => {
      const { roles, offsets } = machine.kernel;
      const address = roles.initTask + offsets.taskPreemptCount;
      machine.memory.writeWord(address, (machine.memory.readWord(address) ?? 0) + 1);
    };
    expect(leaveAfter(count)).toBe('KERNEL_STATE_CHANGED');
    const pmr = ({ machine }: Driven, regs: number) => {
      if (withRegs) machine.memory.writeWord(regs + S_PMR, 0xc0);
      else machine.memory.writeWord(machine.kernel.roles.gicPmr, 0xc0);
    };
    expect(leaveAfter(pmr)).toBe('KERNEL_STATE_CHANGED');
  });
});

describe('a handler that goes astray', () => {
  afterEach(discard);
  const handleArchIrq = (at: Driven, to: number): void => {
    at.machine.memory.writeAddress(at.address('handle_arch_irq'), to);
  };

  it.each([false, true])('by not asking for a walk (path learned: %s)', (learned) => {
    const at = start(learned);
    handleArchIrq(at, at.address('__kw_warn'));
    expect(at.enter(Kind.IRQ)).toBe('NO_REQUEST');
  });

  it.each([false, true])('by running into nothing (path learned: %s)', (learned) => {
    const at = start(learned);
    handleArchIrq(at, -4096 * 16);
    expect(at.enter(Kind.IRQ)).toBe('ENGINE_ERROR');
  });

  it('by never coming to an end', () => {
    const at = start(false);
    handleArchIrq(at, at.address('kunwind_done'));
    expect(at.enter(Kind.IRQ)).toBe('RUNAWAY');
  });

  it('by calling otherwise than it did when its path was learned', () => {
    const at = start(true);
    // Without gic_handle_irq around it, the same caller asks from another depth.
    handleArchIrq(at, at.address('generic_handle_irq'));
    expect(at.enter(Kind.IRQ)).toBe('PATH_CHANGED');
    // Learned anew it is accepted: this is how truth follows the code that is there.
    at.driver.reset();
    expect(at.enter(Kind.IRQ)).toBe('DONE');
    expect(at.pathNames()).not.toContain('gic_handle_irq');
    expect(at.leave()).toBe('DONE');
  });

  it('is found out by the audit of a path, however alike the request is', () => {
    const at = start(true);
    const { path } = at.driver;
    expect(path).toBeDefined();
    for (let i = 1; i < 1024; i++) {
      expect([at.enter(Kind.SERROR), at.leave()]).toEqual(['DONE', 'DONE']);
      expect(at.driver.path).toBe(path);
    }
    if (path !== undefined) path.addresses[1] = 0;
    expect(at.enter(Kind.SERROR)).toBe('PATH_CHANGED');
  });
});
