import { describe, expect, it } from 'vitest';
import { exceptionImmediate, InstructionClass } from '../../aarch64/instruction.js';
import { Reg } from '../../emulator/registers.js';
import { StepStatus } from '../../emulator/stepping-cpu.js';
import { type A64Text, branch, UDF } from '../assembled.js';
import { bareCpu, closeCpus, CODE, DATA, engineWords, NOWHERE } from '../cpu-fixture.js';

closeCpus();

describe('instructions that would raise an exception', () => {
  const cases: [A64Text, number, number][] = [
    ['brk #4', InstructionClass.BRK, 4],
    ['brk #0xf000', InstructionClass.BRK, 0xf000],
    ['svc #7', InstructionClass.SVC, 7],
    ['hvc #0', InstructionClass.HVC, 0],
    ['smc #0', InstructionClass.SMC, 0],
  ];
  it.each(cases)('%s stops before it is executed', (text, kind, immediate) => {
    const { cpu } = bareCpu(['add x0, x0, #1', text, 'add x0, x0, #1']);
    expect(cpu.step()).toBe(StepStatus.DONE);
    const before = engineWords(cpu);
    for (let again = 0; again < 2; again++) {
      expect(cpu.step()).toBe(StepStatus.EXCEPTION);
      expect(cpu.pc).toBe(CODE + 4);
      expect(cpu.instructionClass).toBe(kind);
      expect(exceptionImmediate(cpu.instructionWord)).toBe(immediate);
      expect(engineWords(cpu)).toEqual(before);
    }
    expect(cpu.describe(StepStatus.EXCEPTION)).toMatch(/exception instruction 0xd4\w+ at 0xffff8/);
    // The driver may go on behind it.
    cpu.registers.set(Reg.PC, CODE + 8);
    cpu.writeBack();
    expect(cpu.step()).toBe(StepStatus.DONE);
    expect(cpu.registers.get(Reg.X0)).toBe(2);
  });
});

describe('what the engine refuses', () => {
  it('reports a fetch outside all memory', () => {
    const { cpu } = bareCpu(['nop']);
    cpu.registers.set(Reg.PC, NOWHERE);
    cpu.writeBack();
    expect(cpu.step()).toBe(StepStatus.NO_CODE);
    expect(cpu.pc).toBe(NOWHERE);
    expect(cpu.describe(StepStatus.NO_CODE)).toBe('no code at 0xffff800087000000');
  });

  it.each([
    ['not executable', DATA],
    ['not mapped', NOWHERE],
  ])('reports a branch to memory that is %s', (_, target) => {
    const { cpu } = bareCpu([branch(target - CODE)]);
    // The engine looks at the target as part of the branch.
    expect(cpu.step()).toBe(StepStatus.ENGINE_ERROR);
    expect(cpu.pc).toBe(target);
    expect(cpu.describe(StepStatus.ENGINE_ERROR)).toMatch(/fetch.* at 0xffff80008/i);
    expect(cpu.step()).not.toBe(StepStatus.DONE);
  });

  const accesses: [A64Text, number, RegExp][] = [
    ['ldr x0, [x1]', NOWHERE, /read.*unmapped/i],
    ['str x0, [x1]', NOWHERE, /write.*unmapped/i],
    ['ldr x0, [x1]', 0, /read.*unmapped/i],
    ['str x0, [x1]', CODE, /write.*(protected|not writable|write-protected)/i],
  ];
  it.each(accesses)('reports %s at %d', (text, address, message) => {
    const { cpu, data } = bareCpu([text, 'add x0, x0, #1']);
    cpu.registers.set(Reg.X1, address);
    cpu.registers.set(Reg.X0, 77);
    cpu.writeBack();
    const ram = data.bytes.slice();
    expect(cpu.step()).toBe(StepStatus.ENGINE_ERROR);
    expect(cpu.engineStatus).not.toBe(0);
    expect(cpu.describe(StepStatus.ENGINE_ERROR)).toMatch(message);
    expect(cpu.registers.get(Reg.X0)).toBe(77);
    expect(cpu.pc).toBe(CODE);
    expect(Buffer.compare(data.bytes, ram)).toBe(0);
    // The CPU is as good as new afterwards.
    cpu.registers.set(Reg.PC, CODE + 4);
    cpu.writeBack();
    expect(cpu.step()).toBe(StepStatus.DONE);
    expect(cpu.registers.get(Reg.X0)).toBe(78);
  });

  it('reports an undefined instruction', () => {
    const { cpu } = bareCpu([UDF]);
    expect(cpu.step()).toBe(StepStatus.ENGINE_ERROR);
    expect(cpu.describe(StepStatus.ENGINE_ERROR)).toContain('0xffff800080000000');
  });

  it('reports a PC that is no multiple of four', () => {
    const { cpu } = bareCpu(['add x0, x0, #1', 'add x0, x0, #1']);
    cpu.registers.set(Reg.PC, CODE + 2);
    cpu.writeBack();
    expect(cpu.step()).toBe(StepStatus.ENGINE_ERROR);
    expect(cpu.registers.get(Reg.X0)).toBe(0);
  });
});

describe('runTo', () => {
  it('stops at the address, at the end of the budget, and at what cannot be executed', () => {
    const { cpu } = bareCpu(['add x0, x0, #1', 'add x0, x0, #1', branch(-8), 'brk #4']);
    expect(cpu.runTo(CODE + 8, 100)).toBe(StepStatus.DONE);
    expect([cpu.pc, cpu.registers.get(0)]).toEqual([CODE + 8, 2]);
    expect(cpu.runTo(CODE + 8, 100)).toBe(StepStatus.DONE);
    expect(cpu.registers.get(0)).toBe(2);
    expect(cpu.runTo(CODE + 12, 30)).toBe(StepStatus.DONE);
    expect([cpu.pc, cpu.registers.get(0)]).toEqual([CODE + 8, 22]);
    cpu.registers.set(Reg.PC, CODE + 12);
    cpu.writeBack();
    expect(cpu.runTo(CODE, 30)).toBe(StepStatus.EXCEPTION);
    expect(cpu.describe(StepStatus.DONE)).toBe('running at 0xffff80008000000c');
  });
});
