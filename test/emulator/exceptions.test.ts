import { describe, expect, it } from 'vitest';
import { ExceptionClass, syndrome, VectorOffset } from '../../emulator/exceptions.js';
import { Pstate, Reg } from '../../emulator/registers.js';
import { StepStatus } from '../../emulator/stepping-cpu.js';
import { type A64Text } from '../assembled.js';
import { bareCpu, closeCpus, CODE, DATA, VECTORS } from '../cpu-fixture.js';

closeCpus();

const HANDLER: readonly A64Text[] = [
  'mrs x0, elr_el1',
  'mrs x1, spsr_el1',
  'mrs x2, esr_el1',
  'mrs x3, daif',
  'eret',
];
const FLAGS = [0, 1 << 31, 1 << 30, 1 << 29, 1 << 28, 0xf << 28];
const MASKS = [0, Pstate.D, Pstate.A, Pstate.I, Pstate.F, Pstate.DAIF];

describe('exception entry', () => {
  it.each(Object.entries(VectorOffset))('at %s goes to its vector', (name, offset) => {
    const { cpu } = bareCpu(['nop', 'nop'], HANDLER);
    cpu.step();
    const interrupted = (Pstate.EL1H | (5 << 28) | Pstate.F) >>> 0;
    cpu.registers.set(Reg.PSTATE, interrupted);
    cpu.registers.set(Reg.ESR_EL1, 0x777);
    cpu.writeBack();
    const esr = syndrome(ExceptionClass.SERROR, 0x1234);
    if (name === 'SERROR') cpu.takeException(VECTORS, offset, esr);
    else cpu.takeException(VECTORS, offset);
    const { registers } = cpu;
    expect(cpu.pc).toBe(VECTORS + offset);
    expect(registers.get(Reg.ELR_EL1)).toBe(CODE + 4);
    expect(registers.get(Reg.SPSR_EL1)).toBe(interrupted);
    expect(registers.get(Reg.PSTATE)).toBe((Pstate.EL1H | (5 << 28) | Pstate.DAIF) >>> 0);
    // The handler reads the same from the CPU itself.
    for (let i = 0; i < 4; i++) expect(cpu.step()).toBe(StepStatus.DONE);
    expect(registers.get(0)).toBe(CODE + 4);
    expect(registers.get(1)).toBe(interrupted);
    expect(registers.get(2)).toBe(name === 'SERROR' ? 0xbe001234 : 0x777);
    expect(registers.get(3)).toBe(Pstate.DAIF);
  });

  it('encodes the syndromes of the Arm ARM', () => {
    // ESR_EL1: EC in 31:26, IL bit 25, ISS in 24:0; EC 0x3c is BRK, 0x15 SVC, 0x2f SError.
    expect(syndrome(ExceptionClass.BRK64, 4)).toBe(0xf2000004);
    expect(syndrome(ExceptionClass.SVC64, 7)).toBe(0x56000007);
    expect(syndrome(ExceptionClass.SERROR, 0)).toBe(0xbe000000);
  });

  it('leaves the general registers and SP alone', () => {
    const { cpu } = bareCpu(['nop'], HANDLER);
    for (let i = 0; i <= 31; i++) cpu.registers.set(i, CODE + 0x1010 * i);
    cpu.writeBack();
    cpu.takeException(VECTORS, VectorOffset.IRQ);
    for (let i = 0; i <= 31; i++) expect(cpu.registers.get(i)).toBe(CODE + 0x1010 * i);
  });
});

describe('ERET', () => {
  it('restores PC, flags and masks, whatever they were', () => {
    const { cpu } = bareCpu(['nop', 'nop', 'nop'], HANDLER);
    for (const flags of FLAGS) {
      for (const masks of MASKS) {
        const pstate = (Pstate.EL1H | flags | masks) >>> 0;
        cpu.registers.set(Reg.PC, CODE + 4);
        cpu.registers.set(Reg.PSTATE, pstate);
        cpu.writeBack();
        cpu.takeException(VECTORS, VectorOffset.IRQ);
        for (let i = 0; i < HANDLER.length; i++) expect(cpu.step()).toBe(StepStatus.DONE);
        expect(cpu.pc).toBe(CODE + 4);
        expect(cpu.registers.get(Reg.PSTATE)).toBe(pstate);
        // Neither the file nor the engine keeps the IL that the engine's ERET sets.
        cpu.readAll();
        expect(cpu.registers.get(Reg.PSTATE)).toBe(pstate);
        expect(cpu.step()).toBe(StepStatus.DONE);
        expect(cpu.registers.get(Reg.PSTATE)).toBe(pstate);
      }
    }
  });

  it('goes where the handler says', () => {
    const { cpu } = bareCpu(['nop', 'nop', 'nop', 'nop'], ['msr elr_el1, x0', 'eret']);
    cpu.registers.set(Reg.X0, CODE + 12);
    cpu.writeBack();
    cpu.takeException(VECTORS, VectorOffset.SYNC);
    cpu.step();
    expect(cpu.step()).toBe(StepStatus.DONE);
    expect(cpu.pc).toBe(CODE + 12);
    expect(cpu.step()).toBe(StepStatus.DONE);
  });

  it('returns from a nested exception to the outer handler', () => {
    const { cpu } = bareCpu(['nop', 'nop'], ['nop', 'nop', 'eret']);
    cpu.takeException(VECTORS, VectorOffset.IRQ);
    cpu.step();
    const outer = [cpu.registers.get(Reg.ELR_EL1), cpu.registers.get(Reg.SPSR_EL1)];
    cpu.takeException(VECTORS, VectorOffset.SERROR);
    expect(cpu.registers.get(Reg.ELR_EL1)).toBe(VECTORS + VectorOffset.IRQ + 4);
    for (let i = 0; i < 3; i++) cpu.step();
    expect(cpu.pc).toBe(VECTORS + VectorOffset.IRQ + 4);
    // What entry code would have saved and restored.
    cpu.registers.set(Reg.ELR_EL1, outer[0] as number);
    cpu.registers.set(Reg.SPSR_EL1, outer[1] as number);
    cpu.writeBack();
    for (let i = 0; i < 2; i++) expect(cpu.step()).toBe(StepStatus.DONE);
    expect([cpu.pc, cpu.registers.get(Reg.PSTATE)]).toEqual([CODE, Pstate.EL1H]);
  });

  // SPSR_EL1.M: EL0t, EL1t, EL2t, EL2h, EL3t, EL3h, reserved; and IL set.
  const illegal = [0x0, 0x4, 0x8, 0x9, 0xc, 0xd, 0x1, Pstate.EL1H | Pstate.IL];
  it.each(illegal)('to SPSR %i is refused', (spsr) => {
    const { cpu } = bareCpu(['nop', 'nop'], ['msr spsr_el1, x0', 'eret']);
    cpu.registers.set(Reg.X0, spsr);
    cpu.writeBack();
    cpu.takeException(VECTORS, VectorOffset.IRQ);
    expect(cpu.step()).toBe(StepStatus.DONE);
    expect(cpu.step()).toBe(StepStatus.ILLEGAL_RETURN);
    expect(cpu.describe(StepStatus.ILLEGAL_RETURN)).toMatch(/^illegal exception return at 0x/);
  });

  it.each([0x10, 0x13])('to AArch32, SPSR %i, is refused by the engine', (spsr) => {
    const { cpu } = bareCpu(['nop', 'nop'], ['msr spsr_el1, x0', 'eret']);
    cpu.registers.set(Reg.X0, spsr);
    cpu.writeBack();
    cpu.takeException(VECTORS, VectorOffset.IRQ);
    cpu.step();
    expect([StepStatus.ILLEGAL_RETURN, StepStatus.ENGINE_ERROR]).toContain(cpu.step());
  });

  it('to an address without code is an error', () => {
    const { cpu } = bareCpu(['nop'], ['msr elr_el1, x0', 'eret']);
    cpu.registers.set(Reg.X0, DATA);
    cpu.writeBack();
    cpu.takeException(VECTORS, VectorOffset.IRQ);
    cpu.step();
    expect(cpu.step()).toBe(StepStatus.ENGINE_ERROR);
  });
});
