/** Signed return addresses where they matter: on the stack and in x30 of a running scenario. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addressFromWords } from '../../base/address.js';
import { classify, InstructionClass } from '../../aarch64/instruction.js';
import { stripHighWord } from '../../emulator/pointer-auth.js';
import { Reg } from '../../emulator/registers.js';
import { StepStatus } from '../../emulator/stepping-cpu.js';
import type { Machine } from '../../kernel-model/machine.js';
import { threadResult } from '../../kernel-model/thread-call.js';
import { A64 } from '../assembled.js';
import { SCENARIOS, setUp, stepTo, sweepParts } from '../machine-fixture.js';

let machine: Machine;
beforeAll(() => {
  machine = sweepParts('calls').machine;
});
afterAll(() => {
  machine.close();
});

/** STP X29, X30, [SP, #-n]! of any n. */
const isPush = (word: number): boolean => (word & 0xffc07fff) >>> 0 === 0xa9807bfd;

describe('in a scenario with signed return addresses', () => {
  it('records hold them signed, between the signing and the authentication', () => {
    const entry = setUp(machine, SCENARIOS.pac);
    stepTo(machine, entry);
    const cpu = machine.stepper;
    const { memory, kernel, symbols } = machine;
    const signedAtPush = new Map<string, boolean>();
    let plain = 0;
    let signs = 0;
    while (cpu.pc !== kernel.roles.threadDone) {
      const { pc } = cpu;
      const lr = cpu.registers.get(Reg.X30);
      expect(cpu.step()).toBe(StepStatus.DONE);
      const word = cpu.instructionWord;
      if (word === A64.paciasp || word === A64.pacibsp) {
        signs++;
        const high = cpu.registers.words[2 * Reg.X30 + 1] as number;
        expect(high).not.toBe(stripHighWord(high));
        const low = cpu.registers.words[2 * Reg.X30] as number;
        expect(addressFromWords(low, stripHighWord(high))).toBe(lr);
      }
      if (isPush(word)) {
        const sp = cpu.registers.get(Reg.SP);
        const [low = 0, high = 0] = [memory.readWord(sp + 8), memory.readWord(sp + 12)];
        const name = symbols.at(pc)?.symbol.name ?? '?';
        const signed = high !== stripHighWord(high);
        signedAtPush.set(name, signed);
        if (!signed) plain++;
        // Stripped, it is the address after the call, whoever made it.
        const target = addressFromWords(low, stripHighWord(high));
        expect(symbols.at(target), name).toBeDefined();
        const call = classify(memory.readWord(target - 4) ?? 0);
        expect([InstructionClass.BL, InstructionClass.BLR], name).toContain(call);
      }
    }
    // frame_b, frame_a, two leaves, a leaf by tail call; then frame_a and two leaves again.
    expect(signs).toBe(8);
    expect(signedAtPush).toEqual(
      new Map([
        ['pac_entry', false],
        ['pac_frame_b', true],
        ['pac_frame_a', true],
      ]),
    );
    expect(plain).toBe(1);
    expect(threadResult(machine)).toBe(107);
  });

  it('a return address that was changed on the stack is poisoned, not followed', () => {
    stepTo(machine, setUp(machine, SCENARIOS.pac));
    const cpu = machine.stepper;
    const { memory, symbols } = machine;
    const inside = symbols.byName('pac_leaf_a')?.address ?? 0;
    stepTo(machine, inside);
    // The record of pac_frame_a: replace the low word by another code address.
    const record = cpu.registers.get(Reg.X29);
    memory.writeWord(record + 8, inside);
    let status: number = StepStatus.DONE;
    for (let i = 0; i < 1000 && status === StepStatus.DONE; i++) status = cpu.step();
    expect(status).toBe(StepStatus.PAUTH_FAILED);
    expect([A64.autiasp, A64.autibsp]).toContain(cpu.instructionWord);
    expect(cpu.step()).not.toBe(StepStatus.DONE);
  });
});
