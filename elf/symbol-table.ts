/** Maps names to addresses and back, over all loaded images. */
import { hexAddress, type Address } from '../base/address.js';
import { lastAtOrBelow } from '../base/sorted.js';
import type { ElfImage } from './image.js';
import { compareAliases, isMarker, nearestNames } from './symbol-names.js';
import type { ElfSymbol } from './symbols.js';

/** An address as a symbol and an offset. */
export interface SymbolPlace {
  /** Its `size` is the range that it covers: without st_size, up to the next symbol. */
  readonly symbol: ElfSymbol;
  /** Bytes, from 0 to `symbol.size` - 1. */
  readonly offset: number;
}

/** A loaded part of an image. A symbol never extends past the end of its region. */
interface Region {
  readonly low: Address;
  readonly high: Address;
  readonly executable: boolean;
}

/**
 * Symbols of several images by name and by address. The images must not overlap in
 * memory. Where a name is defined more than once, a global wins over a local symbol and
 * an earlier image over a later one.
 */
export class SymbolTable {
  private readonly names = new Map<string, ElfSymbol>();
  private readonly ranges: readonly ElfSymbol[];
  private readonly starts: Float64Array;
  /** Index of the symbol that encloses symbol i, or -1. */
  private readonly parents: Int32Array;
  private readonly executable: Uint8Array;

  constructor(images: readonly ElfImage[]) {
    const regions = images.flatMap(regionsOf).sort((a, b) => a.low - b.low);
    const regionStarts = Float64Array.from(regions, ({ low }) => low);
    const regionOf = (address: Address): Region | undefined => {
      const region = regions[lastAtOrBelow(regionStarts, address)];
      return region !== undefined && address < region.high ? region : undefined;
    };
    const symbols = images.flatMap((image) => image.symbols.filter((symbol) => !isMarker(symbol)));
    this.ranges = symbolRanges(symbols, regionOf);
    this.starts = Float64Array.from(this.ranges, ({ address }) => address);
    this.parents = enclosing(this.ranges);
    this.executable = Uint8Array.from(this.ranges, ({ address }) =>
      Number(regionOf(address)?.executable === true),
    );
    this.addNames(symbols);
  }

  /**
   * The symbol of that name, absolute ones included. Its `size` is st_size; without one, the
   * distance to the next symbol, or 0 for a label inside another symbol.
   */
  byName(name: string): ElfSymbol | undefined {
    return this.names.get(name);
  }

  /** The innermost symbol that contains `address`; undefined between symbols. */
  at(address: Address): SymbolPlace | undefined {
    const i = this.indexAt(address);
    const symbol = this.ranges[i];
    return symbol === undefined ? undefined : { symbol, offset: address - symbol.address };
  }

  /**
   * Whether `address` is in a function, or follows an untyped assembly label in executable memory.
   */
  isCode(address: Address): boolean {
    const i = this.indexAt(address);
    return this.executable[i] === 1 && this.ranges[i]?.kind !== 'object';
  }

  private indexAt(address: Address): number {
    for (let i = lastAtOrBelow(this.starts, address); i >= 0; i = this.parents[i] as number) {
      const { address: start, size } = this.ranges[i] as ElfSymbol;
      if (address - start < size) return i;
    }
    return -1;
  }

  /** `name+0x10/0x40`, as the kernel's %pS prints it; 16 hexadecimal digits outside all symbols. */
  format(address: Address): string {
    const place = this.at(address);
    return place === undefined ? hexAddress(address) : formatPlace(place, 0);
  }

  /**
   * As {@link format} for a return address, which belongs to the call before it: when that call
   * never returns, the address may already be past the function's end (%pB, sprint_backtrace() in
   * kernel/kallsyms.c, v7.3-rc7).
   */
  formatReturnAddress(address: Address): string {
    const place = this.at(address - 1);
    return place === undefined ? hexAddress(address) : formatPlace(place, 1);
  }

  /** The symbols that contain code, in ascending address order, one for each address. */
  *functions(): Generator<ElfSymbol> {
    for (const [i, symbol] of this.ranges.entries()) {
      if (this.executable[i] === 1 && symbol.kind !== 'object') yield symbol;
    }
  }

  /** At most `limit` names that a misspelt `name` may stand for, nearest first. */
  suggestions(name: string, limit = 3): string[] {
    return nearestNames(name, this.names.keys(), limit);
  }

  private addNames(symbols: readonly ElfSymbol[]): void {
    for (const symbol of symbols) {
      const known = this.names.get(symbol.name);
      if (known === undefined || (symbol.global && !known.global)) {
        this.names.set(symbol.name, symbol);
      }
    }
    // byName() must return the sizes that were derived from the next symbol.
    for (const range of this.ranges) {
      const named = this.names.get(range.name);
      if (named?.address === range.address && !named.absolute) this.names.set(range.name, range);
    }
  }
}

function formatPlace({ symbol, offset }: SymbolPlace, extra: number): string {
  return `${symbol.name}+0x${(offset + extra).toString(16)}/0x${symbol.size.toString(16)}`;
}

/** The loaded sections; the segments when there are no section headers. */
function regionsOf(image: ElfImage): Region[] {
  const sections = image.sections.filter(({ loaded, size }) => loaded && size > 0);
  if (sections.length === 0) {
    return image.segments.map(({ address, memorySize, executable }) => {
      return { low: address, high: address + memorySize, executable };
    });
  }
  return sections.map(({ address, size, executable }) => {
    return { low: address, high: address + size, executable };
  });
}

/** One symbol for each address, in ascending order, each with the size that it covers. */
function symbolRanges(
  symbols: readonly ElfSymbol[],
  regionOf: (address: Address) => Region | undefined,
): ElfSymbol[] {
  const sorted = symbols
    .filter(({ absolute }) => !absolute)
    .sort((a, b) => a.address - b.address || compareAliases(a, b));
  const ranges: ElfSymbol[] = [];
  let covered = -Infinity;
  for (let i = 0; i < sorted.length;) {
    const symbol = sorted[i] as ElfSymbol;
    let next = i + 1;
    while (sorted[next]?.address === symbol.address) next++;
    i = next;

    const region = regionOf(symbol.address);
    const isInnerLabel = symbol.size === 0 && symbol.address < covered;
    if (region === undefined || isInnerLabel) continue;
    const following = sorted[next]?.address ?? Infinity;
    const end = symbol.size === 0 ? following : symbol.address + symbol.size;
    const size = Math.min(end, region.high) - symbol.address;
    ranges.push(size === symbol.size ? symbol : { ...symbol, size });
    if (symbol.size > 0) covered = Math.max(covered, symbol.address + size);
  }
  return ranges;
}

/** For each range, the index of the innermost earlier range that contains its start, or -1. */
function enclosing(ranges: readonly ElfSymbol[]): Int32Array {
  const parents = new Int32Array(ranges.length).fill(-1);
  const open: number[] = [];
  for (const [i, { address }] of ranges.entries()) {
    let top = open.at(-1);
    while (top !== undefined && endOf(ranges[top] as ElfSymbol) <= address) {
      open.pop();
      top = open.at(-1);
    }
    if (top !== undefined) parents[i] = top;
    open.push(i);
  }
  return parents;
}

function endOf({ address, size }: ElfSymbol): Address {
  return address + size;
}
