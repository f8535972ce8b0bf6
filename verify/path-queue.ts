/** The pending paths of a group of functions, and the states that have been visited. */
import type { Address } from '../base/address.js';
import type { DataStepper } from './data-step.js';
import { type PathState, restorePath, savePath, unwindKey } from './path-state.js';

/** States kept at the unresolved indirect jumps of a group, at most. */
const MAX_UNRESOLVED = 64;

/** Most bytes of stack that the saved states of a group may take: a bound on adversarial code. */
const MAX_BYTES = 64 << 20;

/** Saves and restores states of one {@link DataStepper}. */
export class PathQueue {
  private readonly pending: PathState[] = [];
  /** States at indirect jumps whose targets could not be read. */
  private readonly unresolved: PathState[] = [];
  private seen = new Set<number>();
  /** Bytes of stack in all saved states. */
  private bytes = 0;

  constructor(private readonly stepper: DataStepper) {}

  /** Start over, for another group. */
  clear(): void {
    this.seen = new Set();
    this.unresolved.length = 0;
    this.pending.length = 0;
    this.bytes = 0;
  }

  /** Mark the current state as visited at `pc`. @returns whether it is new to an unwinder */
  visit(pc: Address): boolean {
    const key = this.key(pc);
    if (this.seen.has(key)) return false;
    this.seen.add(key);
    return true;
  }

  /**
   * Queue the current state to go on at `pc`, unless it has been visited there.
   * @returns false when the saved states would take too much memory
   */
  add(pc: Address): boolean {
    return this.seen.has(this.key(pc)) || this.keep(this.pending, pc);
  }

  /** Queue a saved state to go on at `pc`. */
  addSaved(path: PathState, pc: Address): void {
    this.bytes += path.stack.byteLength;
    this.pending.push({ ...path, pc });
  }

  private keep(states: PathState[], pc: Address): boolean {
    const { lowest, highest } = this.stepper.frame;
    if (this.bytes + highest - lowest > MAX_BYTES) return false;
    const path = this.save(pc);
    this.bytes += path.stack.byteLength;
    states.push(path);
    return true;
  }

  /** Restore the state that was queued last. @returns where it goes on; undefined when none is left */
  next(): Address | undefined {
    const path = this.pending.pop();
    if (path === undefined) return undefined;
    this.bytes -= path.stack.byteLength;
    this.restore(path);
    this.stepper.tables.forgetTable();
    this.stepper.touch();
    return path.pc;
  }

  /** Keep the state at an indirect jump whose targets could not be read. */
  keepUnresolved(pc: Address): void {
    if (this.unresolved.length < MAX_UNRESOLVED) this.keep(this.unresolved, pc);
  }

  /**
   * The state that all wanted unresolved jumps have in common, as far as an unwinder can tell.
   * Undefined when there is none. The current state is lost.
   */
  unresolvedState(wanted: (pc: Address) => boolean): PathState | undefined {
    const [first, ...others] = this.unresolved.filter(({ pc }) => wanted(pc));
    if (first === undefined) return undefined;
    const key = this.keyOf(first);
    return others.some((other) => this.keyOf(other) !== key) ? undefined : first;
  }

  /** The key of a saved state, without its address. */
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
