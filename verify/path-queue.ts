/** The paths of a group of functions that are still to be followed, and the states that have been. */
import type { Address } from '../emulator/address.js';
import type { DataStepper } from './data-step.js';
import { type PathState, restorePath, savePath, unwindKey } from './path-state.js';

/** States kept at indirect jumps of a group. */
const MAX_UNRESOLVED = 64;

/** Saves and restores states of one {@link DataStepper}. */
export class PathQueue {
  private readonly pending: PathState[] = [];
  /** States at indirect jumps whose targets could not be read. */
  private readonly unresolved: PathState[] = [];
  private seen = new Set<number>();

  constructor(private readonly stepper: DataStepper) {}

  /** Begin with another group. */
  clear(): void {
    this.seen = new Set();
    this.unresolved.length = 0;
  }

  /** Note the state, which is at `pc`. @returns whether an unwinder could tell it from all before */
  visit(pc: Address): boolean {
    const key = this.key(pc);
    if (this.seen.has(key)) return false;
    this.seen.add(key);
    return true;
  }

  /** Have the state gone on with at `pc` later, unless it has been seen there. */
  add(pc: Address): void {
    if (!this.seen.has(this.key(pc))) this.pending.push(this.save(pc));
  }

  /** As {@link add}, with a state that was saved elsewhere. */
  addSaved(path: PathState, pc: Address): void {
    this.pending.push({ ...path, pc });
  }

  /** Restore the state that was added last. @returns where it goes on; undefined when none is left */
  next(): Address | undefined {
    const path = this.pending.pop();
    if (path === undefined) return undefined;
    this.restore(path);
    this.stepper.tables.forgetTable();
    this.stepper.touch();
    return path.pc;
  }

  /** Keep the state at an indirect jump whose targets could not be read. */
  keepUnresolved(pc: Address): void {
    if (this.unresolved.length < MAX_UNRESOLVED) this.unresolved.push(this.save(pc));
  }

  /**
   * A state at those of the unresolved jumps that are wanted. Undefined when there is none, or when
   * an unwinder could tell them apart. The current state is lost.
   */
  unresolvedState(wanted: (pc: Address) => boolean): PathState | undefined {
    const [first, ...others] = this.unresolved.filter(({ pc }) => wanted(pc));
    if (first === undefined) return undefined;
    const key = this.keyOf(first);
    return others.some((other) => this.keyOf(other) !== key) ? undefined : first;
  }

  /** What an unwinder could tell a saved state by, wherever it is. */
  private keyOf(path: PathState): number {
    this.restore(path);
    return this.key(0);
  }

  private key(pc: Address): number {
    return unwindKey(pc, this.stepper.registers, this.stepper.frame);
  }

  private save(pc: Address): PathState {
    const { registers, frame, tables } = this.stepper;
    return savePath(pc, registers, frame, tables.bounds);
  }

  private restore(path: PathState): void {
    const { registers, frame, tables } = this.stepper;
    restorePath(path, registers, frame, tables.bounds);
  }
}
