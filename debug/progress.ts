/** How far a run of a scenario has come, counted as the sweep counts. */
import type { Address } from '../base/address.js';
import type { InterruptibleCpu } from '../kernel-model/interruptible-cpu.js';
import type { Place } from './place.js';

/** The counts at one position. */
export interface ProgressCounts {
  /** The scenario's dynamic instruction; -1 before its entry function. */
  readonly index: number;
  /** Pending calls when the entry function began; -1 before that. */
  readonly depthAtEntry: number;
  /** The entry function has returned. */
  readonly returned: boolean;
  /** Instructions executed in each exception taken, outermost first. */
  readonly inner: readonly number[];
}

/** Counts what one CPU does. */
export class Progress {
  private index = -1;
  private depthAtEntry = -1;
  private returned = false;
  private inner: number[] = [];

  /**
   * @param entry first instruction of the scenario's entry function
   * @param task the one that executes it
   */
  constructor(
    private readonly cpu: InterruptibleCpu,
    private readonly entry: Address,
    private readonly task: Address,
  ) {}

  /** Where this is in the scenario. */
  get place(): Place {
    const { index, returned, inner } = this;
    return {
      index: index < 0 || returned ? undefined : index,
      levels: inner.map((count, level) => ({ kind: this.cpu.kindAt(level), index: count })),
    };
  }

  /** An exception was taken. */
  exceptionTaken(): void {
    this.inner.push(0);
  }

  /** An instruction was executed. @param depth exceptions that were being handled before it */
  stepped(depth: number): void {
    const { inner } = this;
    if (depth > 0) inner[depth - 1] = (inner[depth - 1] ?? 0) + 1;
    else if (this.index >= 0 && !this.returned) this.index++;
    inner.length = this.cpu.depth;
  }

  /**
   * Call this at every position: the scenario begins at its entry function, and ends when that
   * returns.
   */
  noteEntry(pc: Address): void {
    if (this.cpu.depth > 0) return;
    const { depth } = this.cpu.scenario.truth.ofTask(this.task);
    if (this.depthAtEntry < 0 && pc === this.entry) {
      this.depthAtEntry = depth;
      this.index = 0;
    }
    if (this.depthAtEntry >= 0 && depth < this.depthAtEntry) this.returned = true;
  }

  save(): ProgressCounts {
    const { index, depthAtEntry, returned, inner } = this;
    return { index, depthAtEntry, returned, inner: [...inner] };
  }

  restore({ index, depthAtEntry, returned, inner }: ProgressCounts): void {
    this.index = index;
    this.depthAtEntry = depthAtEntry;
    this.returned = returned;
    this.inner = [...inner];
  }
}
