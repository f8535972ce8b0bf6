import type { ElfError } from './error.js';
import { SHN_ABS, SHN_COMMON, SHN_UNDEF, STT_FILE } from './format.js';
import { findSymbolTable } from './symbol-entries.js';
import type { TableSection, TableSymbol } from './tables-types.js';
import { ok, type Result } from '../base/result.js';

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
  const found = findSymbolTable(path, sections);
  if (!found.ok) return found;
  const { table, stripped } = found.value;
  const symbols: TableSymbol[] = [];
  let file = '';
  for (let i = 0; i < table.count; i++) {
    const kind = table.kind(i);
    const isFile = table.type(i) === STT_FILE;
    if (kind === undefined && !isFile) continue;
    const named = table.name(i);
    if (!named.ok) return named;
    const name = named.value;
    if (isFile) file = name;
    if (kind === undefined) continue;
    const section = table.section(i);
    if (section === SHN_UNDEF || section === SHN_COMMON || section === SHN_ABS) continue;
    const home = sections[section];
    if (home === undefined) continue;
    const address = isObject ? home.address + table.value(i) : table.value(i);
    const size = table.size(i);
    if (!Number.isSafeInteger(address) || !Number.isSafeInteger(address + size)) continue;
    const global = table.isGlobal(i);
    symbols.push({ name, address, size, kind, global, section, file: global ? '' : file });
  }
  return ok({ symbols, stripped });
}
