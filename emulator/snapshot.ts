/**
 * Snapshots of a machine: its registers, SIMD registers included, and the bytes of its writable
 * memory. Restoring gives back the identical state, so that re-execution is exact.
 */
import { type Engine, Permission, RegisterSet } from './engine.js';
import type { GuestMemory, MemoryRegion } from './guest-memory.js';
import { RegisterFile } from './registers.js';

const VECTOR_REGISTERS = 32;
const VECTOR_BYTES = 16;

/** A saved machine state. Its size is that of the writable memory. */
export interface Snapshot {
  readonly registers: RegisterFile;
  /** V0..V31, 16 bytes each. */
  readonly vectors: Uint8Array;
  readonly memory: readonly { readonly region: MemoryRegion; readonly bytes: Uint8Array }[];
}

/** Save the state of one CPU and all writable memory. */
export function takeSnapshot(engine: Engine, memory: GuestMemory): Snapshot {
  const registers = new RegisterFile();
  engine.read(registers, RegisterSet.ALL);
  const vectors = new Uint8Array(VECTOR_REGISTERS * VECTOR_BYTES);
  for (let i = 0; i < VECTOR_REGISTERS; i++) {
    engine.readVector(i, vectors.subarray(i * VECTOR_BYTES, (i + 1) * VECTOR_BYTES));
  }
  const saved = memory.regions
    .filter((region) => (region.permissions & Permission.WRITE) !== 0)
    .map((region) => ({ region, bytes: region.bytes.slice() }));
  return { registers, vectors, memory: saved };
}

/** Bring one CPU and all writable memory back to a saved state. */
export function restoreSnapshot(engine: Engine, snapshot: Snapshot): void {
  engine.write(snapshot.registers, RegisterSet.ALL);
  for (let i = 0; i < VECTOR_REGISTERS; i++) {
    engine.writeVector(i, snapshot.vectors.subarray(i * VECTOR_BYTES, (i + 1) * VECTOR_BYTES));
  }
  for (const { region, bytes } of snapshot.memory) region.bytes.set(bytes);
}
