/** The symbols of an ELF file that name something in it, of .symtab or else of .dynsym. */
import type { Address } from '../base/address.js';
import { fail, ok, type Result } from '../base/result.js';
import { type ElfError, malformed } from './error.js';
import { SHT_DYNSYM, SHT_STRTAB, SHT_SYMTAB, STT_FILE, SYM_SIZE } from './format.js';
import type { ElfSection } from './sections.js';
import { SymbolEntries, type SymbolKind } from './symbol-entries.js';

/** One defined symbol of type STT_FUNC, STT_OBJECT, STT_NOTYPE or STT_GNU_IFUNC. */
export interface ElfSymbol {
  readonly name: string;
  /**
   * st_value: a linked address, or the value itself when `absolute`; in an object, whose values are
   * offsets in their sections (gABI chapter 4), where that place was laid out.
   */
  readonly address: Address;
  /** st_size in bytes; 0 when the source gave none. */
  readonly size: number;
  readonly kind: SymbolKind;
  /** STB_GLOBAL or STB_WEAK, as opposed to STB_LOCAL. */
  readonly global: boolean;
  /** STB_WEAK. */
  readonly weak: boolean;
  /** SHN_ABS: a constant, not a place in the file. */
  readonly absolute: boolean;
  /** Index of the section that it lies in, which a linked file may not have; 0 when `absolute`. */
  readonly section: number;
  /** Of a local symbol: the STT_FILE symbol before it, '' when there is none. */
  readonly file: string;
}

/** The symbols of a file, and whether it has lost its .symtab. */
export interface ElfSymbols {
  /** In file order. */
  readonly symbols: readonly ElfSymbol[];
  readonly stripped: boolean;
}

/** Most symbols accepted; an allyesconfig vmlinux has under a million. */
const MAX_SYMBOLS = 4_000_000;
/** Limit on all names together, in characters. */
const MAX_NAMES = 2 ** 28;

/**
 * The defined symbols. Section and TLS symbols are left out, and so are those whose address or end no
 * Number holds exactly.
 * @param layout values of an `object` are offsets in the sections
 */
export function readSymbols(
  path: string,
  sections: readonly ElfSection[],
  layout: 'linked' | 'object',
): Result<ElfSymbols, ElfError> {
  const symtab = sections.find(({ type }) => type === SHT_SYMTAB);
  const stripped = symtab === undefined;
  const table = symtab ?? sections.find(({ type }) => type === SHT_DYNSYM);
  if (table === undefined) return ok({ symbols: [], stripped });
  const problem = checkTable(path, sections, table);
  if (problem !== undefined) return fail(problem);

  const entries = SymbolEntries.ofSection(sections, table.index);
  const nameOf = nameReader(path, table, entries);
  const symbols: ElfSymbol[] = [];
  let file = '';
  for (let i = 0; i < entries.count; i++) {
    const kind = entries.kind(i);
    if (kind === undefined && entries.type(i) !== STT_FILE) continue;
    const name = nameOf(i);
    if (!name.ok) return name;
    if (kind === undefined) {
      file = name.value;
      continue;
    }
    const home = entries.home(i);
    if (home === 'undefined' || home === 'common') continue;
    const absolute = home === 'absolute';
    const section = absolute ? 0 : home;
    // An object has no place in a section that does not exist; a linked address needs no section.
    const base = absolute || layout === 'linked' ? 0 : (sections[section]?.address ?? NaN);
    const address = base + entries.value(i);
    const size = entries.size(i);
    if (!Number.isSafeInteger(address) || !Number.isSafeInteger(address + size)) continue;
    const global = entries.isGlobal(i);
    symbols.push({
      name: name.value,
      address,
      size,
      kind,
      global,
      weak: entries.isWeak(i),
      absolute,
      section,
      file: global ? '' : file,
    });
  }
  return ok({ symbols, stripped });
}

function checkTable(
  path: string,
  sections: readonly ElfSection[],
  { name, link, size, offset }: ElfSection,
): ElfError | undefined {
  const field = `symbol table ${name}`;
  if (sections[link]?.type !== SHT_STRTAB) {
    return malformed(path, field, offset, `sh_link ${link} is not a string table`);
  }
  if (size % SYM_SIZE !== 0) {
    return malformed(path, field, offset, `its size ${size} is not a multiple of ${SYM_SIZE}`);
  }
  const count = size / SYM_SIZE;
  if (count <= MAX_SYMBOLS) return undefined;
  const [value, limit] = [`${count} symbols`, `${MAX_SYMBOLS} symbols`];
  return { path, field, offset, kind: 'too-large', value, limit };
}

/** Names by number, each to be asked for once: the names of a table are bounded together. */
function nameReader(path: string, { offset }: ElfSection, entries: SymbolEntries) {
  let length = 0;
  return (index: number): Result<string, ElfError> => {
    const name = entries.name(index);
    length += name?.length ?? 0;
    if (name !== undefined && length <= MAX_NAMES) return ok(name);
    const place = { path, field: `st_name[${index}]`, offset: offset + index * SYM_SIZE };
    if (name === undefined) {
      const reason = 'the name runs past the end of the string table';
      return fail({ ...place, kind: 'malformed', reason });
    }
    const [value, limit] = [`${length} characters of names`, `${MAX_NAMES}`];
    return fail({ ...place, kind: 'too-large', value, limit });
  };
}
