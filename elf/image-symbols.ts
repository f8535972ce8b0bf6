import type { ElfError } from './error.js';
import { SHN_ABS, SHN_COMMON, SHN_UNDEF } from './format.js';
import { findSymbolTable } from './symbol-entries.js';
import type { ElfSection, ElfSymbol } from './types.js';
import { ok, type Result } from '../base/result.js';

/** The symbols of a file, and whether it has lost its .symtab. */
export interface ElfSymbols {
  readonly symbols: readonly ElfSymbol[];
  readonly stripped: boolean;
}

/**
 * The defined symbols of .symtab, or of .dynsym when the file is stripped. Section, file and TLS
 * symbols are left out, and so are values that no Number holds exactly.
 */
export function readSymbols(
  path: string,
  sections: readonly ElfSection[],
): Result<ElfSymbols, ElfError> {
  const found = findSymbolTable(path, sections);
  if (!found.ok) return found;
  const { table, stripped } = found.value;
  const symbols: ElfSymbol[] = [];
  for (let i = 0; i < table.count; i++) {
    const kind = table.kind(i);
    const section = table.section(i);
    if (kind === undefined || section === SHN_UNDEF || section === SHN_COMMON) continue;
    const address = table.value(i);
    if (!Number.isSafeInteger(address)) continue;
    const name = table.name(i);
    if (!name.ok) return name;
    symbols.push({
      name: name.value,
      address,
      size: table.size(i),
      kind,
      global: table.isGlobal(i),
      weak: table.isWeak(i),
      absolute: section === SHN_ABS,
    });
  }
  return ok({ symbols, stripped });
}
