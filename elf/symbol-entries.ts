/** The symbol table of an ELF file, entry by entry (gABI chapter 4, symbol table). */
import { addressFromWords } from '../base/address.js';
import type { ElfError } from './error.js';
import {
  SHT_DYNSYM,
  SHT_STRTAB,
  SHT_SYMTAB,
  STB_LOCAL,
  STB_WEAK,
  STT_FUNC,
  STT_GNU_IFUNC,
  STT_NOTYPE,
  STT_OBJECT,
  SYM_SIZE,
} from './format.js';
import { malformed } from './header.js';
import { nameAt } from './strings.js';
import type { ElfSection, ElfSymbol } from './types.js';
import { fail, ok, type Result } from '../base/result.js';

/** Most symbols accepted; an allyesconfig vmlinux has under a million. */
const MAX_SYMBOLS = 4_000_000;
/** Limit on all names together, in characters. */
const MAX_NAMES = 2 ** 28;

/** One section of symbols. Entries are numbered from 0. */
export class SymbolEntries {
  readonly count: number;
  private readonly view: DataView;
  private nameLength = 0;

  /**
   * @param offset where `data` is in the file
   * @param names the string table
   */
  constructor(
    private readonly path: string,
    data: Uint8Array,
    private readonly offset: number,
    private readonly names: Uint8Array,
  ) {
    this.count = data.length / SYM_SIZE;
    this.view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  }

  /** STT_*. */
  type(index: number): number {
    return this.view.getUint8(index * SYM_SIZE + 4) & 15;
  }

  /** The type as {@link ElfSymbol} has it; undefined for those that it leaves out. */
  kind(index: number): ElfSymbol['kind'] | undefined {
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

  /** st_shndx. */
  section(index: number): number {
    return this.view.getUint16(index * SYM_SIZE + 6, true);
  }

  /** st_value as a signed number, which may be too large to be exact. */
  value(index: number): number {
    const at = index * SYM_SIZE + 8;
    return addressFromWords(this.view.getUint32(at, true), this.view.getUint32(at + 4, true));
  }

  /** st_size, which may be too large to be exact. */
  size(index: number): number {
    const at = index * SYM_SIZE + 16;
    return this.view.getUint32(at, true) + this.view.getUint32(at + 4, true) * 2 ** 32;
  }

  /** The name; to be asked for once, for the names of a table are bounded together. */
  name(index: number): Result<string, ElfError> {
    const at = index * SYM_SIZE;
    const place = { path: this.path, field: `st_name[${index}]`, offset: this.offset + at };
    const name = nameAt(this.names, this.view.getUint32(at, true));
    if (name === undefined) {
      return fail({ ...place, kind: 'malformed', reason: 'the name runs out of the string table' });
    }
    this.nameLength += name.length;
    if (this.nameLength > MAX_NAMES) {
      const [value, limit] = [`${this.nameLength} characters of names`, `${MAX_NAMES}`];
      return fail({ ...place, kind: 'too-large', value, limit });
    }
    return ok(name);
  }

  private binding(index: number): number {
    return this.view.getUint8(index * SYM_SIZE + 4) >> 4;
  }
}

/** A file's symbols, none where it has no table, and whether it has lost its .symtab. */
export interface FoundSymbols {
  readonly table: SymbolEntries;
  readonly stripped: boolean;
}

/** The symbol table of a file: .symtab, or .dynsym when the file is stripped. */
export function findSymbolTable(
  path: string,
  sections: readonly ElfSection[],
): Result<FoundSymbols, ElfError> {
  const symtab = sections.find(({ type }) => type === SHT_SYMTAB);
  const section = symtab ?? sections.find(({ type }) => type === SHT_DYNSYM);
  const stripped = symtab === undefined;
  if (section === undefined) {
    const nothing = new Uint8Array();
    return ok({ table: new SymbolEntries(path, nothing, 0, nothing), stripped });
  }
  const { data, offset } = section;
  const field = `symbol table ${section.name}`;
  const names = sections[section.link];
  if (names?.type !== SHT_STRTAB) {
    const reason = `sh_link ${section.link} is not a string table`;
    return fail(malformed(path, field, offset, reason));
  }
  if (data.length % SYM_SIZE !== 0) {
    const reason = `its size ${data.length} is not a multiple of ${SYM_SIZE}`;
    return fail(malformed(path, field, offset, reason));
  }
  const table = new SymbolEntries(path, data, offset, names.data);
  if (table.count > MAX_SYMBOLS) {
    const [value, limit] = [`${table.count} symbols`, `${MAX_SYMBOLS} symbols`];
    return fail({ path, field, offset, kind: 'too-large', value, limit });
  }
  return ok({ table, stripped });
}
