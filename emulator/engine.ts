/**
 * The interface to a CPU emulation engine, independent of the backend. One {@link Engine} is one
 * CPU with its own translations. Several engines of a backend can map the same bytes, so that one
 * engine can step while another runs freely (docs/design.md, "The engine").
 */
import type { Address } from '../base/address.js';
import type { RegisterFile } from './registers.js';
import type { Result } from '../base/result.js';

/** Name of a backend. */
export type BackendName = 'libunicorn' | 'unicorn-js';

/** Access rights of a mapping, as in mmap: a set of bits. */
export const Permission = { READ: 1, WRITE: 2, EXECUTE: 4 } as const;

/** Which part of a {@link RegisterFile} a transfer covers. */
export const RegisterSet = {
  /** X0..X30, SP, PC, PSTATE. */
  GENERAL: 0,
  /** The general registers, ELR_EL1, SPSR_EL1, ESR_EL1 and SP_EL0. */
  ALL: 1,
  /** PC, PSTATE, ELR_EL1 and SPSR_EL1: what ERET reads and writes. */
  EXCEPTION_RETURN: 2,
  /** X0, X29, X30, SP and PC: what a function that was just called was given. */
  CALL: 3,
  /** X0..X3, X29, X30 and SP: what a call of a function with up to four arguments sets. */
  ARGUMENTS: 4,
} as const;

/** Status of {@link Engine.step} and {@link Engine.run}: 0, or the engine's own error number. */
export type EngineStatus = number;

/** Why an engine operation failed. */
export type EngineError =
  | { readonly kind: 'library-missing'; readonly message: string }
  | { readonly kind: 'engine-error'; readonly operation: string; readonly message: string };

/** One emulated CPU at EL1 with the MMU off. Not usable after {@link close}. */
export interface Engine {
  /**
   * Map bytes at an address. The address and the length must be multiples of 4096. The bytes must
   * come from {@link EngineBackend.allocate}, and are shared with the engine from then on.
   * @param permissions bits of {@link Permission}
   */
  map(address: Address, bytes: Uint8Array, permissions: number): Result<void, EngineError>;
  /** Execute exactly one instruction at `pc`. */
  step(pc: Address): EngineStatus;
  /** Run from `pc` until a stop instruction (WFI) or an error. The PC is then after the WFI. */
  run(pc: Address): EngineStatus;
  /** Read registers into the file. `set` is one of {@link RegisterSet}. */
  read(file: RegisterFile, set: number): void;
  /** Write registers from the file. `set` is one of {@link RegisterSet}. */
  write(file: RegisterFile, set: number): void;
  /** Read or write one of the 32 SIMD registers as 16 little-endian bytes. */
  readVector(index: number, into: Uint8Array): void;
  writeVector(index: number, from: Uint8Array): void;
  /**
   * Read or write the registers of `SYSTEM_REGISTERS`, two little-endian words each. Slow: only
   * snapshots need them.
   */
  readSystem(into: Uint32Array): void;
  writeSystem(from: Uint32Array): void;
  /** Set VBAR_EL1 and TPIDR_EL1, and enable FP and SIMD in CPACR_EL1.FPEN. Needed once. */
  setUp(vectorBase: Address, perCpuOffset: Address): void;
  /** Drop all translations. Needed after the host has changed code that may have run. */
  flush(): void;
  /** The meaning of a status, in the engine's own words. */
  describe(status: EngineStatus): string;
  close(): void;
}

/** A way to make engines. */
export interface EngineBackend {
  readonly name: BackendName;
  /** Library version, `major.minor.patch`. */
  readonly version: string;
  /** What was loaded: the library's file, as far as that can be known, or the name of the package. */
  readonly library: string;
  /**
   * Zeroed, page-aligned bytes that engines of this backend can map.
   * @param size in bytes, rounded up to whole pages
   */
  allocate(size: number): Uint8Array;
  /** A new CPU, or why there is none. */
  open(): Result<Engine, EngineError>;
}

/** Bytes in a page: the granule of {@link Engine.map}. */
export const PAGE_SIZE = 4096;

/**
 * Instruction words that a freely running engine executes in place of others. On the default CPU
 * model XPACLRI is a NOP, but the stepping engine really signs return addresses. For a pointer of a
 * 48-bit VA whose bits 55 and 47 are equal, SBFX X30, X30, #0, #48 does what XPACLRI does.
 */
export const RUN_SUBSTITUTES: ReadonlyMap<number, number> = new Map([[0xd50320ff, 0x9340bfde]]);
