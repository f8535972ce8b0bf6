/** The defined symbols of an ELF file, from .symtab or else from .dynsym. */
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
   * st_value: a linked address, or the constant when `absolute`. In an object st_value is an offset
   * in a section (gABI chapter 4), so this adds the address at which the section was placed.
   */
  readonly address: Address;
  /** st_size in bytes; 0 when the source gave none. */
  readonly size: number;
  readonly kind: SymbolKind;
  /** STB_GLOBAL or STB_WEAK, not STB_LOCAL. */
  readonly global: boolean;
  /** STB_WEAK. */
  readonly weak: boolean;
  /** SHN_ABS: a constant, not a place in the file. */
  readonly absolute: boolean;
  /** Index of its section, which may not exist in a linked file; 0 when `absolute`. */
  readonly section: number;
  /** Name of the STT_FILE symbol before a local symbol; '' when there is none, and for globals. */
  readonly file: string;
}

/** The symbols of a file, and whether it has no .symtab. */
export interface ElfSymbols {
  /** In file order. */
  readonly symbols: readonly ElfSymbol[];
  readonly stripped: boolean;
}

/** Limit on the number of symbols; an allyesconfig vmlinux has under a million. */
const MAX_SYMBOLS = 4_000_000;
/** Limit on all names together, in characters. */
const MAX_NAMES = 2 ** 28;

/**
 * Reads the defined symbols. Section and TLS symbols are left out, as are symbols whose address or
 * end a Number cannot hold exactly.
 * @param layout `object`: values are offsets in sections; `linked`: values are addresses
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
    // In an object a symbol without an existing section has no address; a linked one needs no
    // section.
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

/** Reads names by symbol index, and bounds their total length. Ask for each name once. */
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
