/**
 * What the user has done to a run: exceptions taken and changes made, by position. Together with
 * the scenario they determine every later state, so re-execution repeats them.
 */
import type { Address } from '../base/address.js';

/** A change of the machine at one position; part of the state *at* that position. */
export type Edit =
  | { readonly kind: 'memory'; readonly address: Address; readonly bytes: Uint8Array }
  /** `index` is one of `Reg`; the value is given as low and high word. */
  | {
      readonly kind: 'register';
      readonly index: number;
      readonly low: number;
      readonly high: number;
    }
  | { readonly kind: 'vector'; readonly index: number; readonly bytes: Uint8Array }
  /** `index` into `SYSTEM_REGISTERS`. */
  | {
      readonly kind: 'system';
      readonly index: number;
      readonly low: number;
      readonly high: number;
    };

/** The inputs of one timeline. */
export class Inputs {
  private readonly interrupts = new Map<number, number>();
  private readonly changes = new Map<number, Edit[]>();

  /** Kind of the exception that is the step from this position, or -1. */
  interruptAt(position: number): number {
    return this.interrupts.get(position) ?? -1;
  }

  /** The exceptions taken before a position, in their order. */
  interruptsBefore(position: number): { readonly position: number; readonly kind: number }[] {
    return [...this.interrupts]
      .map(([at, kind]) => ({ position: at, kind }))
      .filter((taken) => taken.position < position)
      .sort((a, b) => a.position - b.position);
  }

  /** Edits at a position, in the order in which they were made. */
  editsAt(position: number): readonly Edit[] {
    return this.changes.get(position) ?? [];
  }

  /** Number of inputs. */
  get count(): number {
    return this.interrupts.size + this.changes.size;
  }

  /** Take an exception as the step from a position. What was recorded later is dropped. */
  recordInterrupt(position: number, kind: number): void {
    this.dropAfter(position);
    this.interrupts.set(position, kind);
  }

  /** Make a change at a position. What was recorded later is dropped. */
  recordEdit(position: number, edit: Edit): void {
    this.dropAfter(position);
    const edits = this.changes.get(position);
    if (edits === undefined) this.changes.set(position, [edit]);
    else edits.push(edit);
  }

  /** Drop what follows a position, including the step from it but not the edits at it. */
  dropAfter(position: number): void {
    for (const at of this.interrupts.keys()) if (at >= position) this.interrupts.delete(at);
    for (const at of this.changes.keys()) if (at > position) this.changes.delete(at);
  }
}
