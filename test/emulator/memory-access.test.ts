import { afterAll, describe, expect, it } from 'vitest';
import { type Address, addressFromBigInt } from '../../base/address.js';
import { type Engine, Permission, RegisterSet } from '../../emulator/engine.js';
import { GuestMemory } from '../../emulator/guest-memory.js';
import { MemoryAccess, memoryAccess } from '../../emulator/memory-access.js';
import { Pstate, Reg, RegisterFile } from '../../emulator/registers.js';
import { backend, CODE, must } from '../cpu-fixture.js';
import { EXHAUSTIVE } from '../exhaustive.js';
import { newSeed, randomIntegers } from '../random.js';

/** Random words that are executed, at least. */
const WORDS = EXHAUSTIVE ? 8_000 : 2_000;

/**
 * The engine is the judge: an access that ends at the end of mapped memory works, and one byte (or,
 * where alignment is asked for, one unit) further it faults; likewise at the beginning. So both ends
 * of what the decoder says are checked, for loads as well as for stores.
 */
const LOW: Address = CODE + 0x4000;
const SIZE = 0x2000;
const HIGH = LOW + SIZE;
/** The instruction under test. */
const PC = CODE + 0x800;

const memory = new GuestMemory(backend());
const code = must(memory.add('code', CODE, 4096, Permission.READ | Permission.EXECUTE, false));
const data = must(memory.add('data', LOW, SIZE, Permission.READ | Permission.WRITE, false));
const engine: Engine = must(backend().open());
must(memory.mapInto(engine, false));
engine.setUp(CODE, 0);
afterAll(() => {
  engine.close();
});

const seed = newSeed();
const random = randomIntegers(seed);
const word32 = (): number => (random(0x10000) * 0x10000 + random(0x10000)) >>> 0;

const registers = new RegisterFile();
const access = new MemoryAccess();

type Outcome = 'done' | 'fault' | 'undefined';

/** Execute `word` with the base register so that the access starts at `address`. */
function execute(word: number): Outcome {
  code.words[(PC - CODE) >>> 2] = word;
  engine.flush();
  engine.write(registers, RegisterSet.ALL);
  const status = engine.step(PC);
  if (status === 0) return 'done';
  return /unmapped/i.test(engine.describe(status)) ? 'fault' : 'undefined';
}

/** Random registers: bases are shifted later, indices are small so that sums stay in range. */
function randomRegisters(): void {
  for (let i = 0; i <= 30; i++) {
    registers.words[2 * i] = word32() >>> random(32);
    registers.words[2 * i + 1] = random(4) === 0 ? 0xffffffff : random(16);
  }
  registers.set(Reg.SP, 0);
  registers.set(Reg.PC, PC);
  registers.set(Reg.PSTATE, Pstate.EL1H);
}

/** Move the base register (or, for a literal, the offset) so that the access starts at `start`. */
function aim(word: number, start: Address): number | undefined {
  const literal = ((word >>> 24) & 0x3b) === 0x18;
  if (literal) return ((word & 0xff00001f) | ((((start - PC) >> 2) & 0x7ffff) << 5)) >>> 0;
  const base = (word & 0xffffffe0) >>> 0 === 0xd50b7420 ? word & 31 : (word >>> 5) & 31;
  registers.set(base, 0);
  if (!memoryAccess(word, registers, access)) return undefined;
  registers.set(base, start - access.address);
  return word;
}

/** A load or store, drawn from the whole encoding space. */
function randomWord(): number {
  return ((word32() & ~0x0e000000) | 0x08000000 | (random(2) << 26)) >>> 0;
}

/** What must be aligned: exclusives, ordered accesses and atomics. */
function step(word: number, size: number): number {
  const plain = ((word >>> 28) & 3) !== 0 && ((word >>> 24) & 0x3f) !== 0x19;
  if (((word >>> 24) & 0x3b) === 0x18) return 4;
  return plain || ((word >>> 26) & 1) !== 0 ? 1 : size;
}

/** Stores nothing without a reservation; see the test of its own. */
function isExclusiveStore(word: number): boolean {
  return (word & 0x3fc00000) >>> 0 === 0x08000000;
}

const DC_ZVA_X7 = 0xd50b7427;

/** Bits 29:28, 24 and V of an encoding, and its direction: all that the CPU has. */
const GROUPS = [
  ...['0 r', '0 w', '1 r', '1 w', '3 r', '3 w', '4 r', '5 r', '8 r', '8 w', '9 r', '9 w'],
  ...['10 r', '10 w', '11 r', '11 w', '12 r', '12 w', '13 r', '13 w', '14 r', '14 w'],
  ...['15 r', '15 w'],
];

function hex(word: number): string {
  return `${word.toString(16)} (KUNWIND_SEED=${seed})`;
}

/** @returns the group of encodings that was checked, or undefined when the CPU has no such instruction */
function check(word: number): string | undefined {
  randomRegisters();
  const base = (word >>> 5) & 31;
  const indexed =
    ((word >>> 28) & 3) === 3 && ((word >>> 24) & 1) === 0 && ((word >>> 21) & 1) === 1;
  if (indexed && ((word >>> 16) & 31) === base) return undefined;
  // The same register as base and data is not defined where the base is written back.
  if ((word & 31) === base || ((word >>> 10) & 31) === base) return undefined;
  if (!memoryAccess(word, registers, access)) {
    // No register leads to mapped memory, so an access would fault.
    expect(execute(word), hex(word)).not.toBe('fault');
    return undefined;
  }
  if (isExclusiveStore(word)) return undefined;
  const { size, reads, writes } = access;

  const before = data.bytes.fill(0xa5).slice();
  const last = aim(word, HIGH - size) ?? word;
  const outcome = execute(last);
  if (outcome === 'undefined') return undefined;
  expect(outcome, `${hex(word)} at the end`).toBe('done');
  expect(memoryAccess(last, registers, access), hex(word)).toBe(true);
  expect(access.address, hex(word)).toBe(HIGH - size);
  const changed = data.bytes.findIndex((byte, i) => byte !== before[i]);
  if (changed >= 0) {
    expect(changed, hex(word)).toBeGreaterThanOrEqual(SIZE - size);
    expect(writes, hex(word)).toBe(true);
  }

  const further = step(word, size);
  expect(execute(aim(word, HIGH - size + further) ?? word), `${hex(word)} beyond`).toBe('fault');
  expect(execute(aim(word, LOW) ?? word), `${hex(word)} at the start`).toBe('done');
  expect(execute(aim(word, LOW - further) ?? word), `${hex(word)} before`).toBe('fault');
  const group = ((word >>> 28) & 3) * 4 + ((word >>> 24) & 1) * 2 + ((word >>> 26) & 1);
  return `${group} ${reads ? 'r' : ''}${writes ? 'w' : ''}`;
}

describe('the memory that an instruction accesses', () => {
  it('is what the engine accesses, for random encodings', () => {
    const checked = new Map<string, number>();
    const enough = (): string[] =>
      [...checked].filter(([, count]) => count >= 5).map(([group]) => group);
    // Some groups are rare: how many words it takes to meet them all differs from seed to seed.
    for (let i = 0; i < WORDS || (i < 80_000 && enough().length < GROUPS.length); i++) {
      const group = check(randomWord());
      if (group !== undefined) checked.set(group, (checked.get(group) ?? 0) + 1);
    }
    expect(new Set(enough())).toEqual(new Set(GROUPS));
  });

  it.each([
    ['stxr w0, x1, [x2]', 0xc8007c41, 0xc85f7c41, 8],
    ['stxrb w0, w1, [x2]', 0x08007c41, 0x085f7c41, 1],
    ['stlxr w0, w1, [x2]', 0x8800fc41, 0x885ffc41, 4],
    ['stxp w0, x1, x3, [x2]', 0xc8200c41, 0xc87f0c41, 16],
    ['stxp w0, w1, w3, [x2]', 0x88200c41, 0x887f0c41, 8],
  ])('%s stores where its load has loaded', (_, store, load, size) => {
    randomRegisters();
    registers.set(2, LOW + 64);
    data.bytes.fill(0);
    expect(execute(load)).toBe('done');
    for (const index of [1, 3]) {
      registers.words[2 * index] = 0xffffffff;
      registers.words[2 * index + 1] = 0xffffffff;
    }
    expect(execute(store)).toBe('done');
    const stored = [...data.bytes.keys()].filter((i) => data.bytes[i] !== 0);
    expect(memoryAccess(store, registers, access)).toBe(true);
    expect(access).toEqual({ address: LOW + 64, size, reads: false, writes: true });
    expect(stored).toEqual(Array.from({ length: size }, (_unused, i) => 64 + i));
  });

  it('of DC ZVA is the block around the address', () => {
    randomRegisters();
    registers.set(7, LOW + 0x1234);
    data.bytes.fill(0xff);
    expect(execute(DC_ZVA_X7)).toBe('done');
    const zeroed = [...data.bytes.keys()].filter((i) => data.bytes[i] === 0);
    expect(memoryAccess(DC_ZVA_X7, registers, access)).toBe(true);
    expect(access).toEqual({ address: LOW + 0x1200, size: 64, reads: false, writes: true });
    expect([zeroed[0], zeroed.length]).toEqual([0x1200, 64]);
  });

  // Not on the emulated CPU, so these are from the Arm ARM: C6.2.40 CAS, C6.2.41 CASP, C6.2.110 LDADD, SWP.
  it.each([
    ['cas x0, x1, [x2]', 0xc8a07c41, 8, true, true],
    ['casp x0, x1, x4, x5, [x2]', 0x48207c44, 16, true, true],
    ['ldadd w0, w1, [x2]', 0xb8200041, 4, true, true],
    ['swpb w0, w1, [x2]', 0x38208041, 1, true, true],
    ['ldaprh w1, [x2]', 0x78bfc041, 2, true, false],
    ['stlur x1, [x2, #-8]', 0xd91f8041, 8, false, true],
    ['ldapurb w1, [x2, #-8]', 0x195f8041, 1, true, false],
  ])('of %s', (text, word, size, reads, writes) => {
    randomRegisters();
    registers.set(2, LOW + 64);
    expect(memoryAccess(word, registers, access)).toBe(true);
    const address = LOW + (text.includes('-8') ? 56 : 64);
    expect(access).toEqual({ address, size, reads, writes });
  });

  it('is exact where sums of 64 bits wrap', () => {
    randomRegisters();
    // ldr x0, [x1, x2, lsl #3] with x2 = 0xf000000000000001, and x1 = 0x7fff800080000000.
    registers.words.set([0x80000000, 0x7fff8000, 1, 0xf0000000], 2);
    expect(memoryAccess(0xf8627820, registers, access)).toBe(true);
    expect(access.address).toBe(addressFromBigInt(0xffff800080000008n));
  });
});
