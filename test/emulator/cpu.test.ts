import { describe, expect, it } from 'vitest';
import { Disassembler } from '../../emulator/disassembler.js';
import { RegisterSet } from '../../emulator/engine.js';
import { classify, InstructionClass } from '../../emulator/instruction.js';
import {
  Pstate,
  Reg,
  REGISTER_COUNT,
  RegisterFile,
  registerName,
} from '../../emulator/registers.js';
import { StepStatus } from '../../emulator/stepping-cpu.js';
import { A64, type A64Text, assemble, branch, branchAndLink } from '../assembled.js';
import { backend, bareCpu, closeCpus, CODE, DATA, must, STACK_TOP } from '../cpu-fixture.js';
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
