/**
 * The part of a dynamic linker that an executable or a shared library needs to run alone (ELF for
 * the Arm 64-bit Architecture, "Dynamic relocations"). Its own symbols are resolved. A symbol that
 * another file would define gets an address at which nothing is mapped, so that its name can be
 * reported when code uses it.
 */
import { type Address, formatAddress } from '../base/address.js';
import type { DynamicLinking, LinkedWord } from './dynamic-relocations.js';
import {
  R_AARCH64_ABS64,
  R_AARCH64_COPY,
  R_AARCH64_GLOB_DAT,
  R_AARCH64_IRELATIVE,
  R_AARCH64_JUMP_SLOT,
  R_AARCH64_TLS_DTPMOD64,
  R_AARCH64_TLS_DTPREL64,
  R_AARCH64_TLS_TPREL64,
  R_AARCH64_TLSDESC,
  STT_GNU_IFUNC,
} from './format.js';
import type { ElfSection } from './sections.js';
import { SymbolEntries } from './symbol-entries.js';

/**
 * Something that is missing.
 * - `symbol`: another file would define it.
 * - `thread-local`: it lies in a thread's own area, and there is no such area.
 * - `ifunc`: an indirect function that has not been resolved.
 */
export interface MissingItem {
  readonly kind: 'symbol' | 'thread-local' | 'ifunc';
  /** Name of the symbol; '' when it has none. */
  readonly name: string;
}

/** A word that will hold the address that an indirect function's resolver returns. */
export interface IndirectFunction {
  /** Address of the word. */
  readonly place: Address;
  /** The code to call to learn which function is meant. */
  readonly resolver: Address;
  /** Address that the word holds until then: that of a {@link MissingItem}. */
  readonly trap: Address;
}

/** Where missing items are placed. No file is linked there, and no memory is mapped. */
const MISSING_AT: Address = 0x7d00_0000_0000;
/** Bytes for each item, so that an access to a member of a missing structure is recognised. */
const MISSING_SIZE = 1 << 16;
/** Size of what R_AARCH64_COPY copies when it is a pointer, in bytes. */
const POINTER_SIZE = 8;

/** Resolves the symbols of the files of one machine. */
export class DynamicLinker implements DynamicLinking {
  /** Item i lies at {@link MISSING_AT} plus i times {@link MISSING_SIZE}. */
  private readonly missing: MissingItem[] = [];
  private readonly traps = new Map<string, Address>();
  private readonly indirect: IndirectFunction[] = [];

  /** Words that wait for a resolver, in the order of the relocations. */
  get indirectFunctions(): readonly IndirectFunction[] {
    return this.indirect;
  }

  /** The missing item that an address belongs to; undefined for other addresses. */
  at(address: Address): MissingItem | undefined {
    return this.missing[Math.floor((address - MISSING_AT) / MISSING_SIZE)];
  }

  /** Names of the symbols that another file would define, by the addresses they were given. */
  symbolAddresses(): ReadonlyMap<Address, string> {
    const names = new Map<Address, string>();
    for (const [i, { kind, name }] of this.missing.entries()) {
      if (kind === 'symbol') names.set(MISSING_AT + MISSING_SIZE * i, name);
    }
    return names;
  }

  words(sections: readonly ElfSection[], link: number, bias: number): LinkedWord {
    const symbols = SymbolEntries.ofSection(sections, link);
    const nameOf = (symbol: number): string => symbols.name(symbol) ?? '';
    return (type, symbol, addend, place) => {
      if (symbol !== 0 && symbol >= symbols.count) return 'no-symbol';
      switch (type) {
        case R_AARCH64_ABS64:
        case R_AARCH64_GLOB_DAT:
        case R_AARCH64_JUMP_SLOT:
          return symbol === 0 ? addend : this.symbolWord(symbols, symbol, bias, place) + addend;
        case R_AARCH64_IRELATIVE:
          return this.indirectWord('', Number(addend) + bias, place);
        case R_AARCH64_COPY:
          // The data to copy is unknown. Usually it is a pointer, whose use is then reported.
          if (symbols.size(symbol) !== POINTER_SIZE) return 'keep';
          return BigInt(this.trap({ kind: 'symbol', name: nameOf(symbol) }));
        case R_AARCH64_TLS_TPREL64:
        case R_AARCH64_TLSDESC:
          // TPREL64 is an offset that is added to TPIDR_EL0, which is zero. TLSDESC is a function
          // to call.
          return BigInt(this.trap({ kind: 'thread-local', name: nameOf(symbol) }));
        case R_AARCH64_TLS_DTPMOD64:
        case R_AARCH64_TLS_DTPREL64:
          // Arguments of __tls_get_addr(), which is missing itself.
          return 'keep';
        default:
          return 'unsupported';
      }
    };
  }

  private symbolWord(symbols: SymbolEntries, symbol: number, bias: number, place: Address): bigint {
    const value = symbols.exactValue(symbol);
    const name = symbols.name(symbol) ?? '';
    switch (symbols.home(symbol)) {
      case 'undefined':
      case 'common':
        return symbols.isWeak(symbol) ? 0n : BigInt(this.trap({ kind: 'symbol', name }));
      case 'absolute':
        return value;
      default:
        if (symbols.type(symbol) !== STT_GNU_IFUNC) return value + BigInt(bias);
        return this.indirectWord(name, symbols.value(symbol) + bias, place);
    }
  }

  private indirectWord(name: string, resolver: Address, place: Address): bigint {
    const trap = this.trap({ kind: 'ifunc', name: name || formatAddress(resolver) });
    this.indirect.push({ place, resolver, trap });
    return BigInt(trap);
  }

  /** The address for a missing item. It is the same each time. */
  private trap(item: MissingItem): Address {
    const key = `${item.kind} ${item.name}`;
    const known = this.traps.get(key);
    if (known !== undefined) return known;
    const address = MISSING_AT + MISSING_SIZE * this.missing.length;
    this.missing.push(item);
    this.traps.set(key, address);
    return address;
  }
}
