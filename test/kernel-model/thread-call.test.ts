import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { addressFromWords } from '../../base/address.js';
import { stripHighWord } from '../../emulator/pointer-auth.js';
import { Reg } from '../../emulator/registers.js';
import {
  FRAME_RECORD_META_FINAL,
  PT_REGS_SIZE,
  S_STACKFRAME,
  THREAD_SIZE,
} from '../../kernel-model/kernel-image.js';
import { ARGUMENT_AREA, ARGUMENT_AREA_SIZE, type Machine } from '../../kernel-model/machine.js';
import {
  type CallArgument,
  describeCallError,
  finalRecordOf,
  startThreadCall,
  threadResult,
} from '../../kernel-model/thread-call.js';
import { stepTo, sweepParts } from '../machine-fixture.js';

let machine: Machine;
let trivial: number;
beforeAll(() => {
  machine = sweepParts('entry').machine;
  trivial = machine.symbols.byName('entry_trivial')?.address ?? 0;
});
afterAll(() => {
  machine.close();
});
beforeEach(() => {
  machine.reset();
});

const number = (value: number): CallArgument => ({ kind: 'number', value });
const bytes = (...values: number[]): CallArgument => ({
  kind: 'bytes',
  bytes: Uint8Array.from(values),
});

describe('a thread call', () => {
  it('passes x0..x7, and has the result at the end', () => {
    const values = [5, -1, 2 ** 40, -(2 ** 47), 0, 6, 7, 8];
    expect(startThreadCall(machine, trivial, values.map(number))).toBeUndefined();
    stepTo(machine, trivial);
    const { registers } = machine.stepper;
    expect(values.map((_, i) => registers.get(i))).toEqual(values);
    stepTo(machine, machine.kernel.roles.threadDone);
    expect(threadResult(machine)).toBe(6);
  });

  it('runs on init_task, above a FINAL record at task_pt_regs', () => {
    startThreadCall(machine, trivial, []);
    const { memory, kernel, stepper } = machine;
    const low = memory.readAddress(kernel.roles.initTask + kernel.offsets.taskStack) ?? 0;
    const record = low + THREAD_SIZE - PT_REGS_SIZE + S_STACKFRAME;
    expect(finalRecordOf(low)).toBe(record);
    const words = [0, 8, 16].map((offset) => memory.readAddress(record + offset));
    expect(words).toEqual([0, 0, FRAME_RECORD_META_FINAL]);
    expect(stepper.registers.get(Reg.X29)).toBe(record);
    expect(stepper.registers.get(Reg.SP)).toBe(low + THREAD_SIZE - PT_REGS_SIZE);
    expect(stepper.registers.get(Reg.SP_EL0)).toBe(kernel.roles.initTask);
    // At the function, the frame records lead there and nowhere else.
    stepTo(machine, trivial);
    let at = stepper.registers.get(Reg.X29);
    const functions: (string | undefined)[] = [];
    for (let i = 0; at !== record && i < 10; i++) {
      // The guest is built with signed return addresses.
      const high = stripHighWord(memory.readWord(at + 12) ?? 0);
      const lr = addressFromWords(memory.readWord(at + 8) ?? 0, high);
      functions.push(machine.symbols.at(lr)?.symbol.name);
      at = memory.readAddress(at) ?? 0;
    }
    expect(at).toBe(record);
    expect(functions).toEqual(['kthread', expect.stringMatching(/ret_from_fork/)]);
  });

  it('copies buffers, aligned and apart from each other', () => {
    const args = [bytes(1, 2, 3), number(9), bytes(...new Array<number>(64).fill(4)), bytes()];
    expect(startThreadCall(machine, trivial, args)).toBeUndefined();
    stepTo(machine, trivial);
    const [first, second, third, last] = [0, 1, 2, 3].map((i) => machine.stepper.registers.get(i));
    expect(second).toBe(9);
    for (const address of [first, third, last]) expect(Math.abs((address ?? 1) % 16)).toBe(0);
    expect(machine.memory.readWord(first ?? 0)).toBe(0x00030201);
    expect(machine.memory.readWord((third ?? 0) + 60)).toBe(0x04040404);
    // A string that fills its buffer is still followed by a NUL.
    expect(machine.memory.readWord((third ?? 0) + 64)).toBe(0);
    expect(last).toBeGreaterThanOrEqual((third ?? 0) + 65);
  });

  it('refuses nine arguments, and buffers that do not fit', () => {
    const nine = startThreadCall(machine, trivial, new Array<CallArgument>(9).fill(number(0)));
    expect(nine).toEqual({ kind: 'too-many-arguments', count: 9 });
    expect(nine && describeCallError(nine)).toBe('9 arguments given, but x0..x7 take 8');
    const limit = ARGUMENT_AREA_SIZE - 256;
    const large = (size: number) =>
      startThreadCall(machine, trivial, [{ kind: 'bytes', bytes: new Uint8Array(size) }]);
    expect(large(limit - 64)).toBeUndefined();
    const refused = large(limit);
    expect(refused).toEqual({ kind: 'arguments-too-large', bytes: limit, limit });
    expect(refused && describeCallError(refused)).toContain(`exceed ${limit} bytes`);
    const two = [
      bytes(...new Array<number>(100).fill(0)),
      { kind: 'bytes' as const, bytes: new Uint8Array(limit - 100) },
    ];
    expect(startThreadCall(machine, trivial, two)?.kind).toBe('arguments-too-large');
    expect(machine.memory.regionAt(ARGUMENT_AREA)?.high).toBe(ARGUMENT_AREA + ARGUMENT_AREA_SIZE);
  });

  it('refuses a task without a stack', () => {
    const { memory, kernel } = machine;
    memory.writeAddress(kernel.roles.initTask + kernel.offsets.taskStack, 0);
    const error = startThreadCall(machine, trivial, []);
    expect(error).toEqual({ kind: 'no-task-stack' });
    expect(error && describeCallError(error)).toBe('init_task has no stack');
  });
});
