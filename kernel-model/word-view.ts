/** A word of guest data that the host reads or writes at every point. */
import type { Address } from '../base/address.js';
import type { Machine } from './machine.js';

/** A 32-bit word at a fixed address; outside the machine's memory it reads as what was last written, 0 at first. */
export class WordView {
  private readonly words: Uint32Array;
  private readonly index: number;

  constructor(machine: Machine, address: Address) {
    const region = machine.memory.regionAt(address);
    this.words = region?.words ?? new Uint32Array(1);
    this.index = region === undefined ? 0 : (address - region.low) >>> 2;
  }

  get(): number {
    return this.words[this.index] as number;
  }

  set(value: number): void {
    this.words[this.index] = value;
  }
}
