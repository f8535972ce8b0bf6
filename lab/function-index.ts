/**
 * Numbers the functions of a machine. The number for a PC is looked up once per instruction and kept, so
 * that counting verdicts per function needs neither names nor maps.
 */
import type { Address } from '../base/address.js';
import type { MemoryRegion } from '../emulator/guest-memory.js';
import type { Machine } from '../kernel-model/machine.js';

/** Numbers given, at most, so that tallies stay small. All further functions get number 0. */
const MAX_FUNCTIONS = 512;

/** Function numbers of one machine, in order of first use. */
export class FunctionIndex {
  /** Names by number. Number 0 stands for no function. */
  readonly names: string[] = ['?'];
  private readonly numbers = new Map<string, number>();
  private readonly regions: MemoryRegion[] = [];
  /** For each region and instruction: number + 1, or 0 if not looked up yet. */
  private readonly cache: Uint16Array[] = [];

  constructor(private readonly machine: Machine) {
    for (const region of machine.memory.regions) {
      if (region.runBytes === undefined) continue;
      this.regions.push(region);
      this.cache.push(new Uint16Array(region.words.length));
    }
  }

  /** The number of the function that covers `pc`. */
  at(pc: Address): number {
    const { regions } = this;
    for (let i = 0; i < regions.length; i++) {
      const region = regions[i] as MemoryRegion;
      if (pc < region.low || pc >= region.high) continue;
      const cache = this.cache[i] as Uint16Array;
      const word = (pc - region.low) >>> 2;
      const cached = cache[word] as number;
      if (cached !== 0) return cached - 1;
      const number = this.numberOf(this.machine.symbols.at(pc)?.symbol.name ?? '?');
      cache[word] = number + 1;
      return number;
    }
    return 0;
  }

  private numberOf(name: string): number {
    if (name === '?') return 0;
    let number = this.numbers.get(name);
    if (number === undefined) {
      if (this.names.length >= MAX_FUNCTIONS) return 0;
      number = this.names.length;
      this.names.push(name);
      this.numbers.set(name, number);
    }
    return number;
  }
}
