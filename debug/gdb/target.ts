/**
 * What the stub needs of the machine it shows: one AArch64 CPU at EL1 whose execution can be followed
 * in both directions. Knows nothing of how it does that.
 */
import type { Address } from '../../base/address.js';
import type { RegisterFile, SystemRegister } from '../../emulator/registers.js';

/** Which way to go. */
export type Direction = 'forward' | 'backward';

/** Why {@link GdbTarget.run} came back. */
export type RunEnd =
  /** The test stopped it. */
  | 'stopped'
  /** `limit` instructions have gone by, or as many as are done at once: ask again to go on. */
  | 'limit'
  /** There is nothing further in that direction: the first or the last instruction. */
  | 'end'
  /** The instruction at the PC cannot be executed; {@link GdbTarget.problem} says why. */
  | 'stuck';

/** `here`: in the state asked about. `after`: in the one that its instruction leads to (backward only). */
export type StopAnswer = 'go' | 'here' | 'after';

/**
 * Asked about the state before an instruction that a run passes over, with the target's registers and
 * memory being those of that state. Forward: the state the run starts from, then each one after it, in
 * order, the last one reached excepted. Backward: states before the one it starts from; the run ends
 * at the latest that is not `go`, and of those asked, it must be the last that was not.
 */
export type StopTest = () => StopAnswer;

/** A machine that gdb looks at. Addresses are those of the one address space there is. */
export interface GdbTarget {
  /** X0..X30, SP, PC, PSTATE, ELR_EL1, SPSR_EL1, ESR_EL1 and SP_EL0 of the present state. Not to be changed. */
  readonly registers: RegisterFile;
  /** After `stuck`: one line. */
  readonly problem: string;
  /** Store a register; the words are (low, high). False when that is refused. */
  writeRegister(index: number, low: number, high: number): boolean;
  /** V0..V31 as 16 little-endian bytes. */
  readVector(index: number, into: Uint8Array): void;
  writeVector(index: number, from: Uint8Array): boolean;
  /** The instruction word at an address, a multiple of 4; undefined where nothing is mapped. */
  readInstruction(address: Address): number | undefined;
  /** A register of `SYSTEM_REGISTERS` as (low, high) words. */
  readSystem(register: SystemRegister, into: Uint32Array): void;
  writeSystem(register: SystemRegister, low: number, high: number): boolean;
  /** As many of `length` bytes as are mapped from `address` on; undefined when the first is not. */
  readMemory(address: Address, length: number): Uint8Array | undefined;
  /** Store bytes; false, and nothing is stored, when one of them is not mapped. */
  writeMemory(address: Address, bytes: Uint8Array): boolean;
  /** Follow at most `limit` instructions until `test` says to stop. */
  run(direction: Direction, limit: number, test: StopTest): RunEnd;
  /** The state at the scenario's first instruction, all changes undone. */
  restart(): void;
  /** A `monitor` command: lines to print. Never throws; an unknown command is one line. */
  monitor(command: string): string;
}
