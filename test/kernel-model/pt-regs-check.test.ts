/** What entry code saves is compared with what the CPU was, word by word. */
import { afterAll, describe, expect, it } from 'vitest';
import { type ExceptionKind, KIND_NAMES } from '../../kernel-model/exception-kind.js';
import { PT_REGS_SIZE } from '../../kernel-model/kernel-image.js';
import {
  PtRegsCheck,
  SavedField,
  savedFieldName,
  type TakenContext,
} from '../../kernel-model/pt-regs-check.js';
import { StackSlot } from '../../kernel-model/stacks.js';
import { Reg } from '../../emulator/registers.js';
import { SCENARIOS } from '../machine-fixture.js';
import { Driven } from './driver-fixture.js';

const driven = new Driven('entry', SCENARIOS.trivial);
afterAll(() => {
  driven.machine.close();
});
const check = new PtRegsCheck(driven.machine, driven.stacks);

/** At the walk request of an exception that was taken at a scenario's first instruction. */
function atRequest(name: ExceptionKind): TakenContext {
  driven.restart(SCENARIOS.trivial);
  driven.driver.reset();
  driven.driver.interruptAt(driven.registers);
  const kind = KIND_NAMES.indexOf(name);
  const priorityMask = driven.driver.source.priorityMask();
  expect(driven.enter(kind)).toBe('DONE');
  expect(driven.driver.savedWrong).toBe(SavedField.NONE);
  return { kind, interrupted: driven.registers, sdeiLevel: 0, priorityMask };
}

/** The fields found wrong when one 32-bit word after the other is changed, by offset in bytes. */
function foundBy(context: TakenContext, low: number, size: number): Map<string, number[]> {
  const { memory } = driven.machine;
  const found = new Map<string, number[]>();
  for (let offset = 0; offset < size; offset += 4) {
    const word = memory.readWord(low + offset) ?? 0;
    memory.writeWord(low + offset, word ^ 0x10);
    const field = check.compare(context);
    const name = field === SavedField.NONE ? 'nothing' : savedFieldName(field);
    found.set(name, [...(found.get(name) ?? []), offset]);
    memory.writeWord(low + offset, word);
  }
  expect(check.compare(context)).toBe(SavedField.NONE);
  return found;
}

/** Two words of each general register from one on, at the offsets of pt_regs. */
const generalFrom = (first: number): [string, number[]][] =>
  Array.from({ length: Reg.PSTATE + 1 - first }, (_, i) => first + i).map((register) => [
    savedFieldName(register),
    [8 * register, 8 * register + 4],
  ]);

describe('each word of pt_regs that the kernel defines', () => {
  it.each(['irq', 'nmi', 'brk', 'serror'] as const)('%s', (name) => {
    const context = atRequest(name);
    const low = driven.registers.get(Reg.SP) - PT_REGS_SIZE;
    const found = foundBy(context, low, PT_REGS_SIZE);
    // orig_x0, syscallno and sdei_ttbr1.
    expect(found.get('nothing')).toEqual([272, 276, 280, 288, 292]);
    found.delete('nothing');
    expect([...found]).toEqual([
      ...generalFrom(0),
      ['pmr', [284]],
      ['record.fp', [296, 300]],
      ['record.lr', [304, 308]],
      ['record.type', [312, 316]],
    ]);
    expect(driven.leave()).toBe('DONE');
  });

  it('sdei, with the plain record on its stack', () => {
    const context = atRequest('sdei');
    const { kernel } = driven.machine;
    const found = foundBy(context, kernel.roles.sdeiNormalEvent, PT_REGS_SIZE);
    const free = found.get('nothing') ?? [];
    found.delete('nothing');
    expect([...found]).toEqual(generalFrom(4));
    expect(free.slice(0, 8)).toEqual([0, 4, 8, 12, 16, 20, 24, 28]);
    const high = driven.stacks.all[StackSlot.SDEI_NORMAL]?.high ?? 0;
    expect([...foundBy(context, high - 16, 16)]).toEqual([
      ['record.fp', [0, 4]],
      ['record.lr', [8, 12]],
    ]);
    expect(driven.leave()).toBe('DONE');
  });
});

describe('poison', () => {
  const words = (): number[] => {
    const low = driven.registers.get(Reg.SP) - PT_REGS_SIZE;
    return Array.from({ length: PT_REGS_SIZE / 4 }, (_, i) => {
      return driven.machine.memory.readWord(low + 4 * i) ?? 0;
    });
  };
  const poisoned = (kind: number, seed: number): number[] => {
    check.seed = seed;
    const context = { kind, interrupted: driven.registers, sdeiLevel: 0, priorityMask: 0 };
    check.poison(context, check.keyOf(driven.registers));
    check.seed = 0;
    return words();
  };

  it('is what no register holds and nothing points to, and differs', () => {
    driven.restart(SCENARIOS.trivial);
    const first = poisoned(0, 0);
    for (let i = 0; i < first.length; i += 2) {
      // Odd, so no record; and no address, with or without a pointer authentication code.
      expect((first[i] ?? 0) & 1).toBe(1);
      expect(((first[i + 1] ?? 0) & 0xffffff00) >>> 0).toBe(0x5ae5a500);
    }
    const pairs = first.flatMap((low, i) => (i % 2 === 0 ? [`${low} ${first[i + 1]}`] : []));
    expect(new Set(pairs).size).toBe(pairs.length);
    expect(poisoned(0, 0)).toEqual(first);
    expect(poisoned(0, 1)).not.toEqual(first);
    expect(poisoned(1, 0)).not.toEqual(first);
    driven.step();
    expect(poisoned(0, 0)).not.toEqual(first);
  });
});
