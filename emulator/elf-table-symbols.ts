import { addressFromWords } from './address.js';
import type { ElfError } from './elf-error.js';
import {
  SHN_ABS,
  SHN_COMMON,
  SHN_UNDEF,
  SHT_DYNSYM,
  SHT_STRTAB,
  SHT_SYMTAB,
  STB_LOCAL,
  STT_FILE,
  STT_FUNC,
  STT_GNU_IFUNC,
  STT_NOTYPE,
  STT_OBJECT,
  SYM_SIZE,
} from './elf-format.js';
import { malformed } from './elf-header.js';
import { nameAt } from './elf-strings.js';
import { MAX_SYMBOLS } from './elf-symbols.js';
import type { TableSection, TableSymbol } from './elf-table-types.js';
import { fail, ok, type Result } from './result.js';

/** Limit on all names together, in characters. */
const MAX_NAMES = 2 ** 28;

/** The symbols, and whether .symtab is gone. */
export interface TableSymbols {
  readonly symbols: readonly TableSymbol[];
  readonly stripped: boolean;
}

/**
 * The defined symbols that lie in a section, of .symtab or else of .dynsym. In an object their values
 * are offsets in their section (gABI chapter 4), which is where they are moved to.
 */
export function readTableSymbols(
  path: string,
  sections: readonly TableSection[],
  isObject: boolean,
): Result<TableSymbols, ElfError> {
  const symtab = sections.find(({ type }) => type === SHT_SYMTAB);
  const table = symtab ?? sections.find(({ type }) => type === SHT_DYNSYM);
  const stripped = symtab === undefined;
  if (table === undefined) return ok({ symbols: [], stripped });
  const field = `symbol table ${table.name}`;
  const names = sections[table.link];
  if (names?.type !== SHT_STRTAB) {
    const reason = `sh_link ${table.link} is not a string table`;
    return fail(malformed(path, field, table.offset, reason));
  }
  const count = table.data.length / SYM_SIZE;
  if (!Number.isInteger(count)) {
    const reason = `its size ${table.data.length} is not a multiple of ${SYM_SIZE}`;
    return fail(malformed(path, field, table.offset, reason));
  }
  if (count > MAX_SYMBOLS) {
    const [value, limit] = [`${count} symbols`, `${MAX_SYMBOLS} symbols`];
    return fail({ path, field, offset: table.offset, kind: 'too-large', value, limit });
  }
  const symbols = parse(path, sections, table, names.data, isObject);
  return symbols.ok ? ok({ symbols: symbols.value, stripped }) : symbols;
}

function parse(
  path: string,
  sections: readonly TableSection[],
  { data, offset }: TableSection,
  names: Uint8Array,
  isObject: boolean,
): Result<TableSymbol[], ElfError> {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const symbols: TableSymbol[] = [];
  let file = '';
  let nameLength = 0;
  for (let at = 0; at < data.length; at += SYM_SIZE) {
    const info = view.getUint8(at + 4);
    const type = info & 15;
    const kind = symbolKind(type);
    if (kind === undefined && type !== STT_FILE) continue;
    const section = view.getUint16(at + 6, true);
    const name = nameAt(names, view.getUint32(at, true));
    if (name === undefined) {
      const reason = 'the name runs out of the string table';
      return fail(malformed(path, `st_name[${at / SYM_SIZE}]`, offset + at, reason));
    }
    nameLength += name.length;
    if (nameLength > MAX_NAMES) {
      const place = { path, field: `st_name[${at / SYM_SIZE}]`, offset: offset + at };
      const [value, limit] = [`${nameLength} characters of names`, `${MAX_NAMES}`];
      return fail({ ...place, kind: 'too-large', value, limit });
    }
    if (type === STT_FILE) file = name;
    if (kind === undefined) continue;
    if (section === SHN_UNDEF || section === SHN_COMMON || section === SHN_ABS) continue;
    const home = sections[section];
    if (home === undefined) continue;
    const value = addressFromWords(view.getUint32(at + 8, true), view.getUint32(at + 12, true));
    const address = isObject ? home.address + value : value;
    const size = view.getUint32(at + 16, true) + view.getUint32(at + 20, true) * 2 ** 32;
    if (!Number.isSafeInteger(address) || !Number.isSafeInteger(address + size)) continue;
    const global = info >> 4 !== STB_LOCAL;
    symbols.push({ name, address, size, kind, global, section, file: global ? '' : file });
  }
  return ok(symbols);
}

function symbolKind(type: number): TableSymbol['kind'] | undefined {
  if (type === STT_FUNC || type === STT_GNU_IFUNC) return 'function';
  if (type === STT_OBJECT) return 'object';
  return type === STT_NOTYPE ? 'other' : undefined;
}
