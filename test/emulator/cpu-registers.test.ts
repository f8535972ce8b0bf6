import { describe, expect, it } from 'vitest';
import { RegisterSet } from '../../emulator/engine.js';
import {
  Pstate,
  Reg,
  REGISTER_COUNT,
  RegisterFile,
  registerName,
} from '../../emulator/registers.js';
import { StepStatus } from '../../emulator/stepping-cpu.js';
import { A64, branch } from '../assembled.js';
import { backend, bareCpu, closeCpus, CODE } from '../cpu-fixture.js';

closeCpus();

const N = 1 << 31;
const C = 1 << 29;

describe('RegisterFile', () => {
  const values = [0, 1, -1, 0x1234, -(2 ** 31), 2 ** 31, 2 ** 32, -(2 ** 32), CODE, 2 ** 47 - 8];

  it.each(values)('holds %d exactly, in two words', (value) => {
    const file = new RegisterFile();
    for (let index = 0; index < REGISTER_COUNT; index++) {
      file.set(index, value);
      expect(file.get(index)).toBe(value);
      const bits = BigInt.asUintN(64, BigInt(value));
      expect(file.words[2 * index]).toBe(Number(bits & 0xffffffffn));
      expect(file.words[2 * index + 1]).toBe(Number(bits >> 32n));
    }
  });

  it('finds the first register that differs, and compares no further than asked', () => {
    const [a, b] = [new RegisterFile(), new RegisterFile()];
    expect(a.firstDifference(b)).toBe(-1);
    for (let index = REGISTER_COUNT - 1; index >= 0; index--) {
      b.words[2 * index + (index & 1)] = 1;
      expect(a.firstDifference(b, REGISTER_COUNT)).toBe(index);
      expect(a.firstDifference(b)).toBe(index < Reg.ELR_EL1 ? index : -1);
    }
    a.copyFrom(b);
    expect(a.firstDifference(b, REGISTER_COUNT)).toBe(-1);
  });

  it('names every register as an assembler does, and no other', () => {
    const names = Array.from({ length: REGISTER_COUNT + 1 }, (_, i) => registerName(i));
    const general = Array.from({ length: 31 }, (_, i) => `x${i}`);
    const special = ['sp', 'pc', 'pstate', 'elr_el1', 'spsr_el1', 'esr_el1', 'sp_el0', '?'];
    expect(names).toEqual([...general, ...special]);
    for (const [name, index] of Object.entries(Reg)) {
      expect(registerName(index)).toBe(name.toLowerCase());
    }
  });
});

describe('register batches', () => {
  /** Distinct values that each register can hold as they are. */
  function distinct(): RegisterFile {
    const file = new RegisterFile();
    for (let i = 0; i < REGISTER_COUNT; i++) {
      file.words[2 * i] = 0x1111_0000 + 16 * i;
      file.words[2 * i + 1] = 0xffff_8000 + i;
    }
    file.set(Reg.PSTATE, 0);
    file.words[2 * Reg.PSTATE] = (Pstate.EL1H | Pstate.I | N | C) >>> 0;
    file.set(Reg.SPSR_EL1, Pstate.EL1H | Pstate.D);
    file.words[2 * Reg.ESR_EL1 + 1] = 0;
    return file;
  }

  it('write and read back every register, the system registers included', () => {
    const { cpu } = bareCpu(['nop']);
    const written = distinct();
    cpu.engine.write(written, RegisterSet.ALL);
    const read = new RegisterFile();
    cpu.engine.read(read, RegisterSet.ALL);
    expect([...read.words]).toEqual([...written.words]);
  });

  it('write what the guest then reads with MRS', () => {
    const { cpu } = bareCpu([
      'mrs x0, elr_el1',
      'mrs x1, spsr_el1',
      'mrs x2, esr_el1',
      'mrs x0, sp_el0',
    ]);
    const file = distinct();
    file.set(Reg.PC, CODE);
    cpu.registers.copyFrom(file);
    cpu.writeBack();
    for (let i = 0; i < 3; i++) expect(cpu.step()).toBe(StepStatus.DONE);
    expect(cpu.registers.get(0)).toBe(file.get(Reg.ELR_EL1));
    expect(cpu.registers.get(1)).toBe(file.get(Reg.SPSR_EL1));
    expect(cpu.registers.get(2)).toBe(file.get(Reg.ESR_EL1));
    cpu.step();
    expect(cpu.registers.get(0)).toBe(file.get(Reg.SP_EL0));
  });

  it('read what the guest wrote with MSR', () => {
    const { cpu } = bareCpu(['msr elr_el1, x0', 'msr spsr_el1, x0', 'msr sp_el0, x0']);
    cpu.registers.set(Reg.X0, 0x3c5);
    cpu.writeBack();
    for (let i = 0; i < 3; i++) expect(cpu.step()).toBe(StepStatus.DONE);
    // A step reads the general registers only.
    expect(cpu.registers.get(Reg.SP_EL0)).toBe(0);
    cpu.readAll();
    for (const index of [Reg.ELR_EL1, Reg.SPSR_EL1, Reg.SP_EL0]) {
      expect(cpu.registers.get(index)).toBe(0x3c5);
    }
  });

  it('of one set leave the others alone', () => {
    const { cpu } = bareCpu(['nop']);
    const before = distinct();
    cpu.engine.write(before, RegisterSet.ALL);
    const zero = new RegisterFile();
    zero.set(Reg.PSTATE, Pstate.EL1H);
    const setsOf = (index: number) =>
      index === Reg.PC || index === Reg.PSTATE
        ? [RegisterSet.GENERAL, RegisterSet.EXCEPTION_RETURN]
        : index < Reg.PC
          ? [RegisterSet.GENERAL]
          : index === Reg.ELR_EL1 || index === Reg.SPSR_EL1
            ? [RegisterSet.EXCEPTION_RETURN]
            : [];
    for (const set of [RegisterSet.GENERAL, RegisterSet.EXCEPTION_RETURN]) {
      cpu.engine.write(before, RegisterSet.ALL);
      cpu.engine.write(zero, set);
      const after = new RegisterFile();
      cpu.engine.read(after, RegisterSet.ALL);
      const read = new RegisterFile();
      read.words.fill(0x5a5a5a5a);
      cpu.engine.read(read, set);
      for (let i = 0; i < REGISTER_COUNT; i++) {
        const covered = setsOf(i).includes(set);
        expect(after.get(i), registerName(i)).toBe((covered ? zero : before).get(i));
        if (!covered) expect(read.words[2 * i], registerName(i)).toBe(0x5a5a5a5a);
      }
    }
  });

  it('move between engines of one backend through different files', () => {
    const [one, two] = [bareCpu(['nop']).cpu, bareCpu(['nop']).cpu];
    for (let round = 0; round < 3; round++) {
      const file = distinct();
      file.set(5, round);
      one.engine.write(file, RegisterSet.ALL);
      one.engine.read(two.registers, RegisterSet.ALL);
      two.writeBack();
      const back = new RegisterFile();
      two.engine.read(back, RegisterSet.ALL);
      expect([...back.words]).toEqual([...file.words]);
    }
  });
});

describe('the backend', () => {
  it('has a version, and allocates zeroed pages', () => {
    expect(backend().version).toMatch(/^2\.\d+\.\d+$/);
    const bytes = backend().allocate(5000);
    expect(bytes.length).toBe(8192);
    expect(bytes.every((byte) => byte === 0)).toBe(true);
  });

  it('runs freely to a WFI, and reports the PC after it', () => {
    const { cpu } = bareCpu(['add x0, x0, #1', branch(8), 'nop', 'add x0, x0, #1', 'wfi', 'nop']);
    expect(cpu.engine.run(CODE)).toBe(0);
    cpu.readAll();
    expect(cpu.pc).toBe(CODE + 20);
    expect(cpu.registers.get(Reg.X0)).toBe(2);
  });

  it('executes changed code after a flush, in blocks that were chained together too', () => {
    // Four blocks that branch to each other; the last instruction's effect is what changes.
    const code = [branch(8), 'wfi', branch(8), 'nop', 'add x0, x0, #1', branch(-16)] as const;
    const { cpu, memory } = bareCpu(code);
    const run = () => {
      cpu.registers.set(Reg.X0, 100);
      cpu.writeBack();
      expect(cpu.engine.run(CODE)).toBe(0);
      cpu.readAll();
      return cpu.registers.get(Reg.X0);
    };
    expect([run(), run(), run()]).toEqual([101, 101, 101]);
    for (const text of ['sub x0, x0, #1', 'nop', 'add x0, x0, #1'] as const) {
      memory.writeWord(CODE + 16, A64[text]);
      cpu.engine.flush();
      const expected = { 'sub x0, x0, #1': 99, nop: 100, 'add x0, x0, #1': 101 }[text];
      expect([run(), run()]).toEqual([expected, expected]);
    }
  });

  it('steps through changed code after a flush', () => {
    const { cpu, memory } = bareCpu(['add x0, x0, #1', branch(-4)]);
    for (let i = 0; i < 20; i++) cpu.step();
    expect(cpu.registers.get(Reg.X0)).toBe(10);
    memory.writeWord(CODE, A64['sub x0, x0, #1']);
    cpu.engine.flush();
    for (let i = 0; i < 20; i++) cpu.step();
    expect(cpu.registers.get(Reg.X0)).toBe(0);
  });

  it('flushes without touching its whole translation buffer', () => {
    const { cpu } = bareCpu(['wfi']);
    cpu.engine.run(CODE);
    const before = process.memoryUsage.rss();
    cpu.engine.flush();
    expect(process.memoryUsage.rss() - before).toBeLessThan(100e6);
  });
});
