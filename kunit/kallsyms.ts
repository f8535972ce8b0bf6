/**
 * Names of code addresses as `%pS` prints them in a kernel. kallsyms knows only where symbols
 * start, and lets each one reach up to the next (kernel/kallsyms.c, v7.3-rc7), so the padding after
 * a function counts as part of it.
 */
import type { Address } from '../base/address.js';
import type { SymbolTable } from '../elf/symbol-table.js';

/** A function as kallsyms sees it. */
export interface KallsymsFunction {
  readonly name: string;
  readonly address: Address;
  /** Bytes up to the next symbol, or to the alignment of functions after the last one. */
  readonly size: number;
}

/** Functions are aligned to this many bytes in both the kernel and the guest. */
const ALIGNMENT = 16;

/** Looks functions up. */
export class Kallsyms {
  constructor(private readonly symbols: SymbolTable) {}

  /** The function of that name, or undefined. */
  find(name: string): KallsymsFunction | undefined {
    const symbol = this.symbols.byName(name);
    if (symbol === undefined) return undefined;
    const { address } = symbol;
    let end = address + symbol.size;
    // Padding belongs to no ELF symbol; a function that ends on the boundary has none.
    while (end % ALIGNMENT !== 0 && this.symbols.at(end) === undefined) end += 4;
    return { name, address, size: end - address };
  }

  /** `name+0x10/0x40` for an address in code, else its 16 hexadecimal digits. */
  format(address: Address): string {
    const place = this.symbols.at(address);
    const found = place === undefined ? undefined : this.find(place.symbol.name);
    if (place === undefined || found?.address !== place.symbol.address) {
      return this.symbols.format(address);
    }
    return formatPlace(found, place.offset);
  }
}

/** `name+0x10/0x40`. @param offset bytes */
export function formatPlace({ name, size }: KallsymsFunction, offset: number): string {
  return `${name}+0x${offset.toString(16)}/0x${size.toString(16)}`;
}
