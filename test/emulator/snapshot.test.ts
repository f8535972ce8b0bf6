/** Snapshots: a whole scenario, executed again from a saved state, must go exactly the same way. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RegisterSet } from '../../emulator/engine.js';
import { Reg, RegisterFile, SYSTEM_REGISTERS } from '../../emulator/registers.js';
import { restoreSnapshot, takeSnapshot } from '../../emulator/snapshot.js';
import { StepStatus } from '../../emulator/stepping-cpu.js';
import type { Machine } from '../../kernel-model/machine.js';
import { threadResult } from '../../kernel-model/thread-call.js';
import { bareCpu, closeCpus, CODE, DATA, STACK_TOP } from '../cpu-fixture.js';
import { SCENARIOS, setUp, sweepParts } from '../machine-fixture.js';
import { newSeed, randomIntegers } from '../random.js';

closeCpus();

describe('a snapshot', () => {
  it('holds registers, SIMD registers and writable memory, at the time it was taken', () => {
    const { cpu, memory, data } = bareCpu([
      'movi v0.16b, #0xa5',
      'str x0, [sp, #-0x10]!',
      'add v1.16b, v0.16b, v0.16b',
      'movz x0, #0x1234',
      'str x0, [sp, #-0x10]!',
    ]);
    cpu.registers.set(Reg.X0, DATA);
    cpu.registers.set(Reg.SP_EL0, CODE);
    cpu.writeBack();
    cpu.step();
    cpu.step();
    // FPCR.FZ and DN, FPSR.QC: bits that the CPU has; CPACR_EL1.FPEN must stay set.
    const written = [0x8000, 0x40, 3 << 20, 0x11, 0x22, 0x33, 0x0300_0000, 0x0800_0000];
    cpu.engine.writeSystem(
      Uint32Array.from({ length: 16 }, (_, i) => (i & 1 ? 0 : (written[i / 2] ?? 0))),
    );
    const snapshot = takeSnapshot(cpu.engine, memory);
    expect(SYSTEM_REGISTERS.map((_, i) => snapshot.system[2 * i])).toEqual(written);
    expect(snapshot.memory.map(({ region }) => region.name)).toEqual(['data']);
    const saved = snapshot.memory[0]?.bytes ?? new Uint8Array();
    expect(Buffer.from(saved).readBigInt64LE(STACK_TOP - 16 - DATA)).toBe(BigInt(DATA));
    for (let i = 0; i < 3; i++) expect(cpu.step()).toBe(StepStatus.DONE);
    expect(Buffer.from(saved).readBigInt64LE(STACK_TOP - 32 - DATA)).toBe(0n);

    const vector = new Uint8Array(16);
    cpu.engine.readVector(1, vector);
    expect([...vector]).toEqual(new Array(16).fill(0x4a));
    memory.writeAddress(DATA, 1);
    cpu.engine.writeVector(0, new Uint8Array(16).fill(7));

    cpu.engine.writeSystem(new Uint32Array(16).fill(0));

    restoreSnapshot(cpu.engine, snapshot);
    const system = new Uint32Array(16);
    cpu.engine.readSystem(system);
    expect(system).toEqual(snapshot.system);
    cpu.readAll();
    expect(cpu.pc).toBe(CODE + 8);
    expect([Reg.X0, Reg.SP, Reg.SP_EL0].map((index) => cpu.registers.get(index))).toEqual([
      DATA,
      STACK_TOP - 16,
      CODE,
    ]);
    cpu.engine.readVector(0, vector);
    expect([...vector]).toEqual(new Array(16).fill(0xa5));
    cpu.engine.readVector(1, vector);
    expect([...vector]).toEqual(new Array(16).fill(0));
    expect(Buffer.compare(data.bytes, saved)).toBe(0);
    expect(memory.readAddress(DATA)).toBe(0);
  });
});

/** All that a run leaves: registers of the engine itself, writable memory, and the result. */
function outcome(machine: Machine): unknown {
  const registers = new RegisterFile();
  machine.stepper.engine.read(registers, RegisterSet.ALL);
  const { vectors, memory } = takeSnapshot(machine.stepper.engine, machine.memory);
  return {
    registers: [...registers.words],
    vectors: Buffer.from(vectors).toString('hex'),
    memory: memory.map(({ region, bytes }) => `${region.name} ${hash(bytes)}`),
    result: threadResult(machine),
  };
}

/** FNV-1a over words: any difference shows up. */
function hash(bytes: Uint8Array): number {
  let value = 0x811c9dc5;
  for (const word of new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2)) {
    value = Math.imul(value ^ word, 0x01000193);
    value ^= value >>> 15;
  }
  return value >>> 0;
}

describe.each([
  ['fgraph', SCENARIOS.fgraphLeaf, 31],
  ['tasks', SCENARIOS.tasks, 21],
  ['calls', SCENARIOS.pac, 107],
] as const)('re-execution of a scenario of %s', (family, scenario, result) => {
  let machine: Machine;
  let length = 0;
  let expected: unknown;
  const seed = newSeed();
  const at = `KUNWIND_SEED=${seed}`;

  function runOut(): void {
    const cpu = machine.stepper;
    const done = machine.kernel.roles.threadDone;
    for (length = 0; cpu.pc !== done && length < 20_000; length++) {
      if (cpu.step() !== StepStatus.DONE) throw new Error(cpu.describe(StepStatus.ENGINE_ERROR));
    }
  }

  beforeAll(() => {
    machine = sweepParts(family).machine;
    setUp(machine, scenario);
    runOut();
    expected = outcome(machine);
  });
  afterAll(() => {
    machine.close();
  });

  it('gives the result that the scenario states', () => {
    expect(threadResult(machine)).toBe(result);
    expect(length).toBeGreaterThan(50);
  });

  it('ends alike from a snapshot at any instruction', () => {
    const random = randomIntegers(seed);
    const cpu = machine.stepper;
    const whole = length;
    for (let round = 0; round < 6; round++) {
      const stop = random(whole);
      setUp(machine, scenario);
      for (let i = 0; i < stop; i++) cpu.step();
      const snapshot = takeSnapshot(cpu.engine, machine.memory);
      runOut();
      expect(length, at).toBe(whole - stop);
      expect(outcome(machine), at).toEqual(expected);
      // Spoil what a snapshot must bring back.
      for (const { region } of snapshot.memory) region.bytes.fill(0x5a);
      cpu.registers.words.fill(0x5a5a5a5a);
      restoreSnapshot(cpu.engine, snapshot);
      cpu.readAll();
      const { memory } = takeSnapshot(cpu.engine, machine.memory);
      const hashes = (saved: typeof memory) => saved.map(({ bytes }) => hash(bytes));
      expect(hashes(memory), at).toEqual(hashes(snapshot.memory));
      runOut();
      expect(length, at).toBe(whole - stop);
      expect(outcome(machine), at).toEqual(expected);
    }
  });

  it('ends alike after a reset of the machine', () => {
    setUp(machine, scenario);
    runOut();
    expect(outcome(machine)).toEqual(expected);
  });
});
