/** A bare CPU for tests: one page of code, one of vectors, some pages of stack and data. */
import { afterAll } from 'vitest';
import type { Address } from '../base/address.js';
import { type EngineBackend, Permission, RegisterSet } from '../emulator/engine.js';
import { findEngineLibrary } from '../emulator/engine-library.js';
import { VectorOffset } from '../emulator/exceptions.js';
import { GuestMemory, type MemoryRegion } from '../emulator/guest-memory.js';
import { loadLibunicorn } from '../emulator/libunicorn.js';
import { Pstate, Reg } from '../emulator/registers.js';
import type { Result } from '../base/result.js';
import { SteppingCpu } from '../emulator/stepping-cpu.js';
import { type A64Text, assemble } from './assembled.js';

/** Kernel addresses, so that signs and high words matter. */
export const CODE: Address = -0x7fff_8000_0000;
export const VECTORS: Address = CODE + 0x10000;
export const DATA: Address = CODE + 0x100000;
const DATA_SIZE = 0x4000;
/** SP of a fresh CPU. */
export const STACK_TOP: Address = DATA + DATA_SIZE;
/** No memory here. */
export const NOWHERE: Address = CODE + 0x7000000;

let loaded: EngineBackend | undefined;

/** The engine of this machine; tests cannot run without one. */
export function backend(): EngineBackend {
  if (loaded !== undefined) return loaded;
  const found = findEngineLibrary();
  if (!found.ok) throw new Error(found.error);
  if (found.value.backend !== 'libunicorn') throw new Error('these tests need libunicorn');
  const library = loadLibunicorn(found.value.path);
  if (!library.ok) throw new Error(library.error.message);
  return (loaded = library.value);
}

/** The value of a result that must be good. */
export function must<T>(result: Result<T, unknown>): T {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

export interface BareCpu {
  readonly cpu: SteppingCpu;
  readonly memory: GuestMemory;
  readonly data: MemoryRegion;
}

/**
 * A CPU at EL1h, all exceptions unmasked, about to execute the first of these instructions.
 * @param vector code of each of the four vectors, at most 32 words
 */
export function bareCpu(code: readonly (A64Text | number)[], vector: typeof code = []): BareCpu {
  const memory = new GuestMemory(backend());
  const text = must(memory.add('code', CODE, 4096, Permission.READ | Permission.EXECUTE, true));
  const vectors = must(
    memory.add('vectors', VECTORS, 4096, Permission.READ | Permission.EXECUTE, true),
  );
  const data = must(memory.add('data', DATA, DATA_SIZE, Permission.READ | Permission.WRITE, false));
  text.words.set(assemble(...code));
  for (const offset of Object.values(VectorOffset)) {
    vectors.words.set(assemble(...vector), offset >> 2);
  }
  const engine = must(backend().open());
  must(memory.mapInto(engine, false));
  engine.setUp(VECTORS, 0);
  const cpu = new SteppingCpu(engine, memory);
  cpu.registers.set(Reg.PC, CODE);
  cpu.registers.set(Reg.SP, STACK_TOP);
  cpu.registers.set(Reg.PSTATE, Pstate.EL1H);
  cpu.writeBack();
  opened.push(cpu);
  return { cpu, memory, data };
}

const opened: SteppingCpu[] = [];

/** Close the engines of this test file; call once at its top level. */
export function closeCpus(): void {
  afterAll(() => {
    for (const cpu of opened) cpu.engine.close();
    opened.length = 0;
  });
}

/** All registers, the system registers included, as the engine has them now. */
export function engineWords(cpu: SteppingCpu): number[] {
  const before = cpu.registers.words.slice();
  cpu.engine.read(cpu.registers, RegisterSet.ALL);
  const words = [...cpu.registers.words];
  cpu.registers.words.set(before);
  return words;
}
