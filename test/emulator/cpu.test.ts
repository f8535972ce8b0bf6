import { describe, expect, it } from 'vitest';
import { Disassembler } from '../../aarch64/disassembler.js';
import { classify, InstructionClass } from '../../aarch64/instruction.js';
import { Pstate, Reg } from '../../emulator/registers.js';
import { StepStatus } from '../../emulator/stepping-cpu.js';
import { A64, type A64Text, assemble, branch, branchAndLink } from '../assembled.js';
import { bareCpu, closeCpus, CODE, DATA, must, STACK_TOP } from '../cpu-fixture.js';
import { newSeed, randomIntegers } from '../random.js';

closeCpus();

const N = 1 << 31;
const Z = 1 << 30;
const C = 1 << 29;
const V = 1 << 28;

describe('the instructions of these tests', () => {
  it('are what capstone says they are', async () => {
    const disassembler = must(await Disassembler.create());
    for (const [text, word] of Object.entries(A64)) {
      const bytes = Buffer.from(Uint32Array.of(word).buffer);
      // GNU prints the 16-bit move as `mov`, capstone as `movz` or `mov`.
      const printed = disassembler.disassemble(bytes, CODE).text;
      expect(printed.replace(/^mov (x\d+, #)/, 'movz $1')).toBe(text);
    }
    for (const distance of [8, -4, 0x7fffffc, -0x8000000]) {
      const [b, bl] = [branch(distance), branchAndLink(distance)].map((word) =>
        disassembler.disassemble(Buffer.from(Uint32Array.of(word).buffer), CODE),
      );
      expect([b?.mnemonic, b?.target]).toEqual(['b', CODE + distance]);
      expect([bl?.mnemonic, bl?.target]).toEqual(['bl', CODE + distance]);
    }
  });
});

describe('one step', () => {
  it('executes one instruction and no more', () => {
    const { cpu } = bareCpu([
      'movz x0, #0x1234',
      'movk x0, #0xffff, lsl #48',
      'add x1, x0, #1',
      'add x0, x0, #1',
    ]);
    const high = 0xffff0000;
    const expected = [
      [0x1234, 0, 0],
      [0x1234, high, 0],
      [0x1234, high, 0x1235],
      [0x1235, high, 0x1235],
    ];
    for (const [i, [x0, x0High, x1]] of expected.entries()) {
      expect(cpu.step()).toBe(StepStatus.DONE);
      expect(cpu.pc).toBe(CODE + 4 * (i + 1));
      expect([cpu.registers.words[0], cpu.registers.words[1], cpu.registers.words[2]]).toEqual([
        x0,
        x0High,
        x1,
      ]);
    }
    expect(cpu.instructionWord).toBe(A64['add x0, x0, #1']);
    expect(cpu.instructionClass).toBe(InstructionClass.OTHER);
  });

  const arithmetic: [A64Text, (a: bigint, b: bigint) => bigint, number][] = [
    ['adds x3, x4, x5', (a, b) => a + b, 3],
    ['mul x6, x4, x5', (a, b) => a * b, 6],
    ['umulh x6, x4, x5', (a, b) => (a * b) >> 64n, 6],
    ['ror x9, x4, #8', (a) => (a >> 8n) | (a << 56n), 9],
  ];
  it.each(arithmetic)('%s agrees with big integers on random operands', (text, model, target) => {
    const seed = newSeed();
    const random = randomIntegers(seed);
    const { cpu } = bareCpu([text]);
    for (let round = 0; round < 50; round++) {
      const words = Uint32Array.from({ length: 4 }, () => random(2 ** 32));
      cpu.registers.words.set(words, 2 * 4);
      cpu.registers.set(Reg.PC, CODE);
      cpu.writeBack();
      expect(cpu.step()).toBe(StepStatus.DONE);
      const [a = 0n, b = 0n] = new BigUint64Array(words.buffer);
      const at = 2 * target;
      const result = new BigUint64Array(cpu.registers.words.slice(at, at + 2).buffer)[0];
      expect(result, `KUNWIND_SEED=${seed} round ${round}`).toBe(BigInt.asUintN(64, model(a, b)));
    }
  });

  it.each([
    [5, 5, Z | C, 5],
    [4, 5, N, 5],
    [5, 4, C, 4],
    [-(2 ** 53), 1, N | C, 1],
  ])('cmp %d, %d sets the flags that csel reads', (x4, x5, flags, chosen) => {
    const { cpu } = bareCpu(['cmp x4, x5', 'csel x7, x4, x5, eq', 'mrs x4, nzcv']);
    cpu.registers.set(4, x4);
    cpu.registers.set(5, x5);
    cpu.writeBack();
    cpu.step();
    const pstate = cpu.registers.words[2 * Reg.PSTATE] as number;
    expect(pstate & Pstate.NZCV).toBe(flags);
    expect(pstate & ~Pstate.NZCV).toBe(Pstate.EL1H);
    cpu.step();
    expect(cpu.registers.get(7)).toBe(chosen);
    cpu.step();
    expect(cpu.registers.get(4) | 0).toBe(flags);
  });

  it('sets V on signed overflow, and takes flags that the host wrote', () => {
    const { cpu } = bareCpu(['adds x3, x4, x5', 'mrs x4, nzcv']);
    cpu.registers.words.set([0xffffffff, 0x7fffffff, 1, 0], 2 * 4);
    cpu.writeBack();
    cpu.step();
    const flags = (cpu.registers.words[2 * Reg.PSTATE] as number) & Pstate.NZCV;
    expect(flags).toBe(N | V);
    cpu.registers.words[2 * Reg.PSTATE] = (Pstate.EL1H | C | Z) >>> 0;
    cpu.writeBack();
    cpu.step();
    expect(cpu.registers.get(4)).toBe(Z | C);
  });

  it('shows DAIF in PSTATE as MSR sets and clears it', () => {
    const { cpu } = bareCpu(['msr daifset, #2', 'msr daifset, #0xf', 'msr daifclr, #2']);
    const daif = () => {
      cpu.step();
      return (cpu.registers.words[2 * Reg.PSTATE] as number) & Pstate.DAIF;
    };
    expect([daif(), daif(), daif()]).toEqual([Pstate.I, Pstate.DAIF, Pstate.DAIF & ~Pstate.I]);
  });

  it('stores and loads through memory that the host sees', () => {
    const { cpu, memory } = bareCpu(['str x0, [sp, #-0x10]!', 'ldr x8, [sp], #0x10']);
    cpu.registers.set(Reg.X0, CODE + 0x123);
    cpu.writeBack();
    cpu.step();
    expect(cpu.registers.get(Reg.SP)).toBe(STACK_TOP - 16);
    expect(memory.readAddress(STACK_TOP - 16)).toBe(CODE + 0x123);
    memory.writeAddress(STACK_TOP - 16, DATA);
    cpu.step();
    expect(cpu.registers.get(8)).toBe(DATA);
    expect(cpu.registers.get(Reg.SP)).toBe(STACK_TOP);
  });

  it('branches, links and returns', () => {
    const { cpu } = bareCpu([branchAndLink(12), 'nop', 'nop', 'mov x9, x30', 'ret x9']);
    const trail: [number, number][] = [];
    for (let i = 0; i < 3; i++) {
      cpu.step();
      trail.push([cpu.pc - CODE, cpu.instructionClass]);
    }
    const { BL, OTHER, RET } = InstructionClass;
    expect(trail).toEqual([
      [12, BL],
      [16, OTHER],
      [4, RET],
    ]);
    expect(cpu.registers.get(Reg.X30)).toBe(CODE + 4);
  });

  it('classifies the instruction that it executed', () => {
    for (const text of ['nop', 'msr sp_el0, x0', 'cmp x4, x5', 'paciasp'] as const) {
      const { cpu } = bareCpu([text]);
      cpu.step();
      expect(cpu.instructionClass).toBe(classify(assemble(text)[0] as number));
    }
  });
});
