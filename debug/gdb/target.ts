/**
 * What the stub needs from the machine that it shows: one AArch64 CPU at EL1, whose execution can
 * be followed in both directions. How the machine does that is not the stub's business.
 */
import type { Address } from '../../base/address.js';
import type { RegisterFile, SystemRegister } from '../../emulator/registers.js';

/** Which way to go. */
export type Direction = 'forward' | 'backward';

/** Why {@link GdbTarget.run} returned. */
export type RunEnd =
  /** The test stopped it. */
  | 'stopped'
  /** `limit` instructions were run, or as many as run at once. Call again to go on. */
  | 'limit'
  /** The first or last instruction was reached: nothing follows in that direction. */
  | 'end'
  /** The instruction at the PC cannot be executed; {@link GdbTarget.problem} says why. */
  | 'stuck';

/**
 * Where to stop. `here`: in the state asked about. `after`: in the state that its instruction leads
 * to (backward only).
 */
export type StopAnswer = 'go' | 'here' | 'after';

/**
 * Called for each state that a run passes, while the target's registers and memory are those of
 * that state. Forward: the state that the run starts from, then each one after it, in order, except
 * for the last one reached. Backward: states before the one that the run starts from. The run ends
 * at the latest state whose answer is not `go`; of the states asked about, that is also the last
 * one with such an answer.
 */
export type StopTest = () => StopAnswer;

/** A machine that gdb looks at. It has a single address space. */
export interface GdbTarget {
  /**
   * X0..X30, SP, PC, PSTATE, ELR_EL1, SPSR_EL1, ESR_EL1 and SP_EL0 of the current state. Do not
   * change them.
   */
  readonly registers: RegisterFile;
  /** Why the target is stuck, in one line. Set after `stuck`. */
  readonly problem: string;
  /** Store a register, given as low and high word. False when that is refused. */
  writeRegister(index: number, low: number, high: number): boolean;
  /** V0..V31 as 16 little-endian bytes. */
  readVector(index: number, into: Uint8Array): void;
  writeVector(index: number, from: Uint8Array): boolean;
  /** The instruction word at an address, a multiple of 4; undefined where nothing is mapped. */
  readInstruction(address: Address): number | undefined;
  /** A register of `SYSTEM_REGISTERS`, as low and high word. */
  readSystem(register: SystemRegister, into: Uint32Array): void;
  writeSystem(register: SystemRegister, low: number, high: number): boolean;
  /** As many of `length` bytes from `address` as are mapped; undefined when the first is not. */
  readMemory(address: Address, length: number): Uint8Array | undefined;
  /** Store bytes. False, with nothing stored, when one of them is not mapped. */
  writeMemory(address: Address, bytes: Uint8Array): boolean;
  /** Run for at most `limit` instructions, until `test` says to stop. */
  run(direction: Direction, limit: number, test: StopTest): RunEnd;
  /** Go back to the state that the session began with, undoing all changes. */
  restart(): void;
  /**
   * The lines to print for a `monitor` command. Never throws; an unknown command gives one line.
   */
  monitor(command: string): string;
}
