/**
 * Guest RAM: regions of bytes that this process owns and every engine maps. An unwinder, a snapshot
 * or a debugger reads the live bytes, without a call into the engine.
 */
import { type Address, formatAddress } from '../base/address.js';
import {
  type Engine,
  type EngineBackend,
  type EngineError,
  PAGE_SIZE,
  RUN_SUBSTITUTES,
} from './engine.js';
import { fail, ok, type Result } from '../base/result.js';

/** A contiguous, page-aligned piece of guest RAM. */
export interface MemoryRegion {
  readonly name: string;
  /** First address; a multiple of 4096. */
  readonly low: Address;
  /** One past the last address; a multiple of 4096. */
  readonly high: Address;
  readonly bytes: Uint8Array;
  /** The same bytes as little-endian 32-bit words. */
  readonly words: Uint32Array;
  /** Bits of `Permission`. */
  readonly permissions: number;
  /**
   * For code: a second copy, with a WFI at each stop, which free-running engines execute. The
   * stepping engines execute `bytes`. Absent for data, which all engines share.
   */
  readonly runBytes: Uint8Array | undefined;
}

/** Why memory could not be added or mapped. */
export type MemoryError =
  | EngineError
  | {
      readonly kind: 'overlap';
      readonly name: string;
      readonly other: string;
      readonly at: Address;
    };

/** All RAM of one simulated machine. */
export class GuestMemory {
  readonly regions: MemoryRegion[] = [];

  constructor(private readonly backend: EngineBackend) {}

  /**
   * Add zeroed RAM covering `[low, low + size)`, widened to whole pages.
   * @param code whether the region gets a second copy, for free-running engines
   */
  add(
    name: string,
    low: Address,
    size: number,
    permissions: number,
    code: boolean,
  ): Result<MemoryRegion, MemoryError> {
    const start = Math.floor(low / PAGE_SIZE) * PAGE_SIZE;
    const end = Math.ceil((low + size) / PAGE_SIZE) * PAGE_SIZE;
    for (const other of this.regions) {
      if (start < other.high && other.low < end) {
        return fail({ kind: 'overlap', name, other: other.name, at: Math.max(start, other.low) });
      }
    }
    const bytes = this.backend.allocate(end - start);
    const region: MemoryRegion = {
      name,
      low: start,
      high: end,
      bytes,
      words: new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2),
      permissions,
      runBytes: code ? this.backend.allocate(end - start) : undefined,
    };
    this.regions.push(region);
    return ok(region);
  }

  /** The region that holds the address, or undefined. Regions are few: a scan is enough. */
  regionAt(address: Address): MemoryRegion | undefined {
    for (const region of this.regions) {
      if (address >= region.low && address < region.high) return region;
    }
    return undefined;
  }

  /**
   * The 32-bit word at an address; undefined where nothing is mapped. The address must be a
   * multiple of 4.
   */
  readWord(address: Address): number | undefined {
    const region = this.regionAt(address);
    return region?.words[(address - region.low) >>> 2];
  }

  /**
   * The 64-bit value at an address; undefined where nothing is mapped. The address must be a
   * multiple of 8.
   */
  readAddress(address: Address): Address | undefined {
    const region = this.regionAt(address);
    if (region === undefined) return undefined;
    const at = (address - region.low) >>> 2;
    return ((region.words[at + 1] as number) | 0) * 4294967296 + (region.words[at] as number);
  }

  /** Store a 64-bit value; false where nothing is mapped. */
  writeAddress(address: Address, value: Address): boolean {
    const region = this.regionAt(address);
    if (region === undefined) return false;
    const at = (address - region.low) >>> 2;
    region.words[at] = value;
    region.words[at + 1] = Math.floor(value / 4294967296);
    return true;
  }

  /** Store a 32-bit value; false where nothing is mapped. */
  writeWord(address: Address, value: number): boolean {
    const region = this.regionAt(address);
    if (region === undefined) return false;
    region.words[(address - region.low) >>> 2] = value;
    return true;
  }

  /** Copy bytes in; false where the range is not wholly inside one region. */
  writeBytes(address: Address, data: Uint8Array): boolean {
    const region = this.regionAt(address);
    if (region === undefined || address + data.length > region.high) return false;
    region.bytes.set(data, address - region.low);
    return true;
  }

  /**
   * Fill the free-running copy of every code region: the region's own words, with `wfi` in place of
   * each word that `isStop` picks, and with RUN_SUBSTITUTES applied.
   */
  fillRunCopies(isStop: (word: number, address: Address) => boolean, wfi: number): void {
    for (const region of this.regions) {
      const { runBytes } = region;
      if (runBytes === undefined) continue;
      runBytes.set(region.bytes);
      const run = new Uint32Array(runBytes.buffer, runBytes.byteOffset, runBytes.length >> 2);
      for (let i = 0; i < run.length; i++) {
        const word = run[i] as number;
        if (isStop(word, region.low + 4 * i)) run[i] = wfi;
        else if (RUN_SUBSTITUTES.has(word)) run[i] = RUN_SUBSTITUTES.get(word) ?? word;
      }
    }
  }

  /**
   * Map every region into an engine.
   * @param free whether the engine runs freely, and so gets the second copies of code
   */
  mapInto(engine: Engine, free: boolean): Result<void, EngineError> {
    for (const region of this.regions) {
      const bytes = free ? (region.runBytes ?? region.bytes) : region.bytes;
      const mapped = engine.map(region.low, bytes, region.permissions);
      if (!mapped.ok) return mapped;
    }
    return ok(undefined);
  }
}

/** One line for a {@link MemoryError}. */
export function describeMemoryError(error: MemoryError): string {
  switch (error.kind) {
    case 'overlap':
      return `${error.name} overlaps ${error.other} at ${formatAddress(error.at)}`;
    case 'library-missing':
      return error.message;
    case 'engine-error':
      return `the engine refused to ${error.operation}: ${error.message}`;
  }
}
