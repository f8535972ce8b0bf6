/**
 * Snapshots of a machine: its registers, SIMD registers included, and the bytes of its writable
 * memory. Restoring gives back the identical state, so that re-execution is exact.
 */
import { type Engine, Permission, RegisterSet } from './engine.js';
import type { GuestMemory, MemoryRegion } from './guest-memory.js';
import { RegisterFile, SYSTEM_REGISTERS } from './registers.js';

const VECTOR_REGISTERS = 32;
const VECTOR_BYTES = 16;

/** One file for all transfers, because an engine keeps buffers for every file it has seen. */
const transfer = new RegisterFile();

/** Every register of one CPU. */
export interface CpuState {
  /** `RegisterFile.words`. */
  readonly registers: Uint32Array;
  /** V0..V31, 16 bytes each. */
  readonly vectors: Uint8Array;
  /** As `Engine.readSystem` gives them. */
  readonly system: Uint32Array;
}

/** Save all registers of one CPU. The exclusive monitor is not saved. */
export function readCpuState(engine: Engine): CpuState {
  engine.read(transfer, RegisterSet.ALL);
  const registers = transfer.words.slice();
  const vectors = new Uint8Array(VECTOR_REGISTERS * VECTOR_BYTES);
  for (let i = 0; i < VECTOR_REGISTERS; i++) {
    engine.readVector(i, vectors.subarray(i * VECTOR_BYTES, (i + 1) * VECTOR_BYTES));
  }
  const system = new Uint32Array(2 * SYSTEM_REGISTERS.length);
  engine.readSystem(system);
  return { registers, vectors, system };
}

/** Bring all registers of one CPU back to a saved state. */
export function writeCpuState(engine: Engine, state: CpuState): void {
  engine.writeSystem(state.system);
  transfer.words.set(state.registers);
  engine.write(transfer, RegisterSet.ALL);
  for (let i = 0; i < VECTOR_REGISTERS; i++) {
    engine.writeVector(i, state.vectors.subarray(i * VECTOR_BYTES, (i + 1) * VECTOR_BYTES));
  }
}

/** A saved machine state. Its size is that of the writable memory. */
export interface Snapshot extends CpuState {
  readonly memory: readonly { readonly region: MemoryRegion; readonly bytes: Uint8Array }[];
}

/** Save the state of one CPU and all writable memory. */
export function takeSnapshot(engine: Engine, memory: GuestMemory): Snapshot {
  const saved = memory.regions
    .filter((region) => (region.permissions & Permission.WRITE) !== 0)
    .map((region) => ({ region, bytes: region.bytes.slice() }));
  return { ...readCpuState(engine), memory: saved };
}

/** Bring one CPU and all writable memory back to a saved state. */
export function restoreSnapshot(engine: Engine, snapshot: Snapshot): void {
  writeCpuState(engine, snapshot);
  for (const { region, bytes } of snapshot.memory) region.bytes.set(bytes);
}
