/** The entries of a symbol section, .symtab or .dynsym (gABI chapter 4, symbol table). */
import { addressFromWords } from '../base/address.js';
import {
  SHN_ABS,
  SHN_COMMON,
  SHN_LORESERVE,
  SHN_UNDEF,
  SHN_XINDEX,
  SHT_SYMTAB_SHNDX,
  STB_LOCAL,
  STB_WEAK,
  STT_FUNC,
  STT_GNU_IFUNC,
  STT_NOTYPE,
  STT_OBJECT,
  SYM_SIZE,
} from './format.js';
import type { ElfSection } from './sections.js';
import { nameAt } from './strings.js';

/** What a symbol names: code, data, or a place without a type. */
export type SymbolKind = 'function' | 'object' | 'other';

/** The index of the section that defines a symbol, or why there is no such section. */
export type SymbolHome = number | 'undefined' | 'absolute' | 'common';

/** The entries of one symbol section, numbered from 0. An incomplete last entry is ignored. */
export class SymbolEntries {
  readonly count: number;
  private readonly view: DataView;
  /** The section numbers that do not fit into st_shndx, a word for each symbol. */
  private readonly largeHomes: DataView;
  /** Cache by string offset: a third of a kernel's symbols share the names `$x` and `$d`. */
  private readonly shortNames = new Map<number, string>();

  /**
   * @param names the contents of the string table
   * @param largeHomes the contents of the SHT_SYMTAB_SHNDX section, where there is one
   */
  constructor(
    section: Pick<ElfSection, 'data'>,
    private readonly names: Uint8Array,
    largeHomes: Uint8Array = NOTHING.data,
  ) {
    this.view = viewOf(section.data);
    this.count = Math.floor(this.view.byteLength / SYM_SIZE);
    this.largeHomes = viewOf(largeHomes);
  }

  /** The symbols of section `index`, with the string table that its sh_link refers to. */
  static ofSection(sections: readonly ElfSection[], index: number): SymbolEntries {
    const section = sections[index] ?? NOTHING;
    const large = sections.find(({ type, link }) => type === SHT_SYMTAB_SHNDX && link === index);
    return new SymbolEntries(section, sections[section.link]?.data ?? NOTHING.data, large?.data);
  }

  /** STT_*. */
  type(index: number): number {
    return this.view.getUint8(index * SYM_SIZE + 4) & 15;
  }

  /** Undefined for the types that do not become an {@link ElfSymbol}. */
  kind(index: number): SymbolKind | undefined {
    switch (this.type(index)) {
      case STT_FUNC:
      case STT_GNU_IFUNC:
        return 'function';
      case STT_OBJECT:
        return 'object';
      case STT_NOTYPE:
        return 'other';
      default:
        return undefined;
    }
  }

  isGlobal(index: number): boolean {
    return this.binding(index) !== STB_LOCAL;
  }

  isWeak(index: number): boolean {
    return this.binding(index) === STB_WEAK;
  }

  /**
   * From st_shndx. The section may not exist; that of a reserved number is -1, which never does.
   */
  home(index: number): SymbolHome {
    const section = this.view.getUint16(index * SYM_SIZE + 6, true);
    if (section === SHN_UNDEF) return 'undefined';
    if (section < SHN_LORESERVE) return section;
    if (section === SHN_ABS) return 'absolute';
    if (section === SHN_COMMON) return 'common';
    const at = index * 4;
    const isLarge = section === SHN_XINDEX && at + 4 <= this.largeHomes.byteLength;
    return isLarge ? this.largeHomes.getUint32(at, true) : -1;
  }

  /** st_value as a signed number, rounded when it is beyond +-2^53. */
  value(index: number): number {
    const at = index * SYM_SIZE + 8;
    return addressFromWords(this.view.getUint32(at, true), this.view.getUint32(at + 4, true));
  }

  /** st_value, unsigned and exact. */
  exactValue(index: number): bigint {
    return this.view.getBigUint64(index * SYM_SIZE + 8, true);
  }

  /** st_size in bytes, rounded when it is above 2^53. */
  size(index: number): number {
    const at = index * SYM_SIZE + 16;
    return this.view.getUint32(at, true) + this.view.getUint32(at + 4, true) * 2 ** 32;
  }

  /** Undefined when the name runs past the end of the string table. */
  name(index: number): string | undefined {
    const at = this.view.getUint32(index * SYM_SIZE, true);
    const known = this.shortNames.get(at);
    if (known !== undefined) return known;
    const name = nameAt(this.names, at);
    if (name !== undefined && name.length <= 2) this.shortNames.set(at, name);
    return name;
  }

  private binding(index: number): number {
    return this.view.getUint8(index * SYM_SIZE + 4) >> 4;
  }
}

const NOTHING = { data: new Uint8Array(), link: 0 };

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
