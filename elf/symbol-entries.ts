/** The entries of a section of symbols, .symtab or .dynsym (gABI chapter 4, symbol table). */
import { addressFromWords } from '../base/address.js';
import {
  SHN_ABS,
  SHN_COMMON,
  SHN_UNDEF,
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

/** What a symbol names: something to run, data, or a place that has no type. */
export type SymbolKind = 'function' | 'object' | 'other';

/** The number of the section in which a symbol is defined, or why that is none. */
export type SymbolHome = number | 'undefined' | 'absolute' | 'common';

/** The entries, numbered from 0; only whole ones count. */
export class SymbolEntries {
  readonly count: number;
  private readonly view: DataView;
  /** By offset in the string table: a third of a kernel's symbols share the names `$x` and `$d`. */
  private readonly shortNames = new Map<number, string>();

  /** @param names the contents of the string table */
  constructor(
    section: Pick<ElfSection, 'data'>,
    private readonly names: Uint8Array,
  ) {
    const { buffer, byteOffset, byteLength } = section.data;
    this.count = Math.floor(byteLength / SYM_SIZE);
    this.view = new DataView(buffer, byteOffset, byteLength);
  }

  /** The symbols that section `index` has, with the names that its sh_link leads to. */
  static ofSection(sections: readonly ElfSection[], index: number): SymbolEntries {
    const section = sections[index] ?? NOTHING;
    return new SymbolEntries(section, sections[section.link]?.data ?? NOTHING.data);
  }

  /** STT_*. */
  type(index: number): number {
    return this.view.getUint8(index * SYM_SIZE + 4) & 15;
  }

  /** Undefined for types of which there are no {@link ElfSymbol}s. */
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

  /** st_shndx; a section of that number may not exist. */
  home(index: number): SymbolHome {
    const section = this.view.getUint16(index * SYM_SIZE + 6, true);
    if (section === SHN_UNDEF) return 'undefined';
    if (section === SHN_ABS) return 'absolute';
    return section === SHN_COMMON ? 'common' : section;
  }

  /** st_value as a signed number, which may be too large to be exact. */
  value(index: number): number {
    const at = index * SYM_SIZE + 8;
    return addressFromWords(this.view.getUint32(at, true), this.view.getUint32(at + 4, true));
  }

  /** st_value, unsigned and exact. */
  exactValue(index: number): bigint {
    return this.view.getBigUint64(index * SYM_SIZE + 8, true);
  }

  /** st_size, which may be too large to be exact. */
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
