import { describe, expect, it } from 'vitest';
import { executePauthHint, PauthOutcome, stripHighWord } from '../../emulator/pointer-auth.js';
import { Reg, RegisterFile, registerName } from '../../emulator/registers.js';
import { StepStatus } from '../../emulator/stepping-cpu.js';
import { A64, type A64Text } from '../assembled.js';
import { bareCpu, closeCpus, CODE, DATA, STACK_TOP } from '../cpu-fixture.js';
import { newSeed, randomIntegers } from '../random.js';

closeCpus();

const { X16, X17, X30, SP } = Reg;
const ZERO = -1;

/** Arm ARM C6.2, "PACIA, PACIA1716, PACIASP, PACIAZ, PACIZA" and the like: register, modifier, key. */
const HINTS: readonly [A64Text, 'sign' | 'auth' | 'strip', number, number, 'a' | 'b'][] = [
  ['xpaclri', 'strip', X30, ZERO, 'a'],
  ['pacia1716', 'sign', X17, X16, 'a'],
  ['pacib1716', 'sign', X17, X16, 'b'],
  ['autia1716', 'auth', X17, X16, 'a'],
  ['autib1716', 'auth', X17, X16, 'b'],
  ['paciaz', 'sign', X30, ZERO, 'a'],
  ['paciasp', 'sign', X30, SP, 'a'],
  ['pacibz', 'sign', X30, ZERO, 'b'],
  ['pacibsp', 'sign', X30, SP, 'b'],
  ['autiaz', 'auth', X30, ZERO, 'a'],
  ['autiasp', 'auth', X30, SP, 'a'],
  ['autibz', 'auth', X30, ZERO, 'b'],
  ['autibsp', 'auth', X30, SP, 'b'],
];
const SIGNS = HINTS.filter(([, operation]) => operation === 'sign');
const AUTHS = HINTS.filter(([, operation]) => operation === 'auth');

const POINTERS = [CODE + 0x104, 0x0000_7fff_f000_1238, -(2 ** 47), 0];
/** Bits 63:56 and 54:48 of the high word. */
const PAC = 0xff7f0000;

function file(): RegisterFile {
  const registers = new RegisterFile();
  for (let i = 0; i <= 31; i++) registers.set(i, DATA + 0x1010 * i);
  return registers;
}

/** Carry a hint out; how it ended. */
function hint(text: A64Text, registers: RegisterFile): number {
  return executePauthHint(A64[text], registers);
}

/** The word of a register where a modifier sits; x9 stands in for the zero modifier. */
function disturb(modifier: number, registers: RegisterFile): void {
  registers.set(modifier, registers.get(modifier) + 16);
}

describe('signing', () => {
  it.each(SIGNS)('%s sets the PAC bits of its register, and nothing else', (text, _, register) => {
    for (const pointer of POINTERS) {
      const registers = file();
      registers.set(register, pointer);
      const before = registers.words.slice();
      expect(hint(text, registers)).toBe(PauthOutcome.DONE);
      const changed = [...registers.words.keys()].filter((i) => registers.words[i] !== before[i]);
      expect(changed).toEqual([2 * register + 1]);
      const high = registers.words[2 * register + 1] as number;
      expect(high & ~PAC).toBe((before[2 * register + 1] as number) & ~PAC);
      // A signed pointer is never taken for an address.
      expect(Math.abs(registers.get(register))).toBeGreaterThan(2 ** 47);
      expect(stripHighWord(high)).toBe(before[2 * register + 1]);
    }
  });

  it('differs by pointer, modifier and key', () => {
    const pacs = new Set<number>();
    for (const [text, , register, modifier] of SIGNS) {
      for (const delta of [0, 16, 0x100000]) {
        const registers = file();
        registers.set(register, CODE + 0x104);
        if (modifier !== ZERO) registers.set(modifier, DATA + 0x1000 + delta);
        else registers.set(register, CODE + 0x104 + delta);
        hint(text, registers);
        pacs.add(((registers.words[2 * register + 1] as number) & PAC) >>> 0);
      }
    }
    // Six instructions, three ways each; sp and x16 with one modifier sign one pointer alike.
    expect(pacs.size).toBe(3 * 4);
  });
});

describe('authentication', () => {
  it.each(AUTHS)('%s gives back what its twin signed', (text, _, register) => {
    const twin = text.replace('aut', 'pac') as A64Text;
    const seed = newSeed();
    const random = randomIntegers(seed);
    for (let round = 0; round < 100; round++) {
      const registers = file();
      const half = random(2) === 0 ? 0 : 0xffff0000;
      registers.words[2 * register] = random(2 ** 32);
      registers.words[2 * register + 1] = half | random(0x8000) | (half !== 0 ? 0x8000 : 0);
      registers.set(SP, STACK_TOP - 16 * random(1000));
      const before = registers.words.slice();
      expect(hint(twin, registers)).toBe(PauthOutcome.DONE);
      expect(hint(text, registers)).toBe(PauthOutcome.DONE);
      expect(registers.words, `KUNWIND_SEED=${seed} round ${round}`).toEqual(before);
    }
  });

  it.each(AUTHS)('%s poisons what its twin did not sign', (text, _, register, modifier, key) => {
    for (const pointer of POINTERS) {
      const spoil: ((registers: RegisterFile) => void)[] = [
        () => undefined,
        (registers) => {
          hint(
            text.replace('aut', 'pac').replace(/i[ab]/, key === 'a' ? 'ib' : 'ia') as A64Text,
            registers,
          );
        },
        (registers) => {
          hint(text.replace('aut', 'pac') as A64Text, registers);
          if (modifier === ZERO) registers.words[2 * register] = pointer ^ 4;
          else disturb(modifier, registers);
        },
      ];
      for (const prepare of spoil) {
        const registers = file();
        registers.set(register, pointer);
        prepare(registers);
        const before = registers.words.slice();
        expect(hint(text, registers)).toBe(PauthOutcome.FAILED);
        // AArch64.Auth without FEAT_FPAC: bits 62:61 of the stripped pointer are key:NOT(key).
        const high = before[2 * register + 1] as number;
        const code = key === 'a' ? 0x20000000 : 0x40000000;
        before[2 * register + 1] = (stripHighWord(high) & ~0x60000000) | code;
        expect(registers.words).toEqual(before);
        expect(Math.abs(registers.get(register))).toBeGreaterThan(2 ** 47);
      }
    }
  });
});

describe('hints', () => {
  it('that strip give back the sign extension of bit 55', () => {
    for (const pointer of POINTERS) {
      for (const [text] of [['pacibsp'], ['paciaz']] as const) {
        const registers = file();
        registers.set(X30, pointer);
        hint(text, registers);
        expect(hint('xpaclri', registers)).toBe(PauthOutcome.DONE);
        expect(registers.get(X30)).toBe(pointer);
      }
    }
    expect([0xffff8000, 0x00ff8000, 0x12818000].map(stripHighWord)).toEqual([
      0xffff8000, 0xffff8000, 0xffff8000,
    ]);
    expect([0x0000ffff, 0xff7f0001, 0x12340001].map(stripHighWord)).toEqual([0xffff, 1, 1]);
  });

  it('of the other encodings do nothing', () => {
    const known = new Set<number>(HINTS.map(([text]) => A64[text]));
    for (let crmOp2 = 0; crmOp2 < 128; crmOp2++) {
      const word = (0xd503201f | (crmOp2 << 5)) >>> 0;
      if (known.has(word)) continue;
      const registers = file();
      const before = registers.words.slice();
      expect(executePauthHint(word, registers)).toBe(PauthOutcome.DONE);
      expect(registers.words, `hint #${crmOp2}`).toEqual(before);
    }
  });

  it.each(HINTS)('%s on the CPU changes its register in the engine too', (text, op, register) => {
    const { cpu } = bareCpu([text, 'mov x9, x30']);
    cpu.registers.set(X16, DATA);
    cpu.registers.set(register, CODE + 0x100);
    if (op === 'strip') hint('paciaz', cpu.registers);
    const expected = new RegisterFile();
    expected.copyFrom(cpu.registers);
    cpu.writeBack();
    const outcome = hint(text, expected);
    expect(outcome).toBe(op === 'auth' ? PauthOutcome.FAILED : PauthOutcome.DONE);
    expect(cpu.step()).toBe(
      outcome === PauthOutcome.DONE ? StepStatus.DONE : StepStatus.PAUTH_FAILED,
    );
    expected.set(Reg.PC, CODE + 4);
    expect(registerName(cpu.registers.firstDifference(expected))).toBe('x-1');
    if (register === X30) {
      expect(cpu.step()).toBe(StepStatus.DONE);
      const x30 = cpu.registers.words.slice(2 * X30, 2 * X30 + 2);
      expect(cpu.registers.words.slice(2 * 9, 2 * 9 + 2)).toEqual(x30);
    }
  });
});

describe('RETAA and RETAB', () => {
  it.each([
    ['paciasp', 'retaa'],
    ['pacibsp', 'retab'],
  ] as const)('%s then %s returns', (sign, ret) => {
    const { cpu } = bareCpu([sign, ret, 'nop', 'add x0, x0, #1']);
    cpu.registers.set(X30, CODE + 12);
    cpu.writeBack();
    expect(cpu.step()).toBe(StepStatus.DONE);
    expect(Math.abs(cpu.registers.get(X30))).toBeGreaterThan(2 ** 47);
    expect(cpu.step()).toBe(StepStatus.DONE);
    expect([cpu.pc, cpu.registers.get(X30)]).toEqual([CODE + 12, CODE + 12]);
    expect(cpu.step()).toBe(StepStatus.DONE);
    expect(cpu.registers.get(Reg.X0)).toBe(1);
  });

  it.each([
    ['paciasp', 'retab', 0],
    ['pacibsp', 'retaa', 0],
    ['paciasp', 'retaa', 16],
    ['nop', 'retaa', 0],
  ] as const)('%s then %s with SP moved by %d fails', (sign, ret, moved) => {
    const { cpu } = bareCpu([sign, ret]);
    cpu.registers.set(X30, CODE + 12);
    cpu.writeBack();
    cpu.step();
    cpu.registers.set(SP, STACK_TOP - moved);
    cpu.writeBack();
    expect(cpu.step()).toBe(StepStatus.PAUTH_FAILED);
    expect(cpu.describe(StepStatus.PAUTH_FAILED)).toMatch(/^pointer authentication failed/);
    expect(cpu.pc).not.toBe(CODE + 12);
    expect(cpu.step()).toBe(StepStatus.NO_CODE);
  });
});
