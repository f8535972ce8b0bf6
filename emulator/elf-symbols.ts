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
  STB_WEAK,
  STT_FUNC,
  STT_GNU_IFUNC,
  STT_NOTYPE,
  STT_OBJECT,
  SYM_SIZE,
} from './elf-format.js';
import { malformed } from './elf-header.js';
import { nameAt } from './elf-strings.js';
import type { ElfSection, ElfSymbol } from './elf-types.js';
import { fail, ok, type Result } from './result.js';

/** Most symbols accepted; an allyesconfig vmlinux has under a million. */
export const MAX_SYMBOLS = 4_000_000;
/** Limit on all names together, in bytes. */
const MAX_NAME_BYTES = 2 ** 28;

/** The symbols of a file, and whether it has lost its .symtab. */
export interface ElfSymbols {
  readonly symbols: readonly ElfSymbol[];
  readonly stripped: boolean;
}

/**
 * The defined symbols (gABI chapter 4, symbol table) of .symtab, or of .dynsym when the
 * file is stripped. Section, file and TLS symbols are left out, and so are values that no
 * Number holds exactly.
 */
export function readSymbols(
  path: string,
  sections: readonly ElfSection[],
): Result<ElfSymbols, ElfError> {
  const symtab = sections.find(({ type }) => type === SHT_SYMTAB);
  const table = symtab ?? sections.find(({ type }) => type === SHT_DYNSYM);
  if (table === undefined) return ok({ symbols: [], stripped: true });

  const field = `symbol table ${table.name}`;
  const names = sections[table.link];
  if (names?.type !== SHT_STRTAB) {
    const reason = `sh_link ${table.link} is not a string table`;
    return fail(malformed(path, field, table.offset, reason));
  }
  if (table.data.length % SYM_SIZE !== 0) {
    const reason = `its size ${table.data.length} is not a multiple of ${SYM_SIZE}`;
    return fail(malformed(path, field, table.offset, reason));
  }
  const count = table.data.length / SYM_SIZE;
  if (count > MAX_SYMBOLS) {
    const place = { path, field, offset: table.offset };
    const [value, limit] = [`${count} symbols`, `${MAX_SYMBOLS} symbols`];
    return fail({ ...place, kind: 'too-large', value, limit });
  }
  const symbols = parseTable(path, table, names.data);
  return symbols.ok ? ok({ symbols: symbols.value, stripped: symtab === undefined }) : symbols;
}

function parseTable(
  path: string,
  { data, offset }: ElfSection,
  names: Uint8Array,
): Result<ElfSymbol[], ElfError> {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const symbols: ElfSymbol[] = [];
  let nameBytes = 0;
  for (let at = 0; at < data.length; at += SYM_SIZE) {
    const info = view.getUint8(at + 4);
    const kind = symbolKind(info & 15);
    const section = view.getUint16(at + 6, true);
    if (kind === undefined || section === SHN_UNDEF || section === SHN_COMMON) continue;
    const address = wordPair(view, at + 8);
    if (!Number.isSafeInteger(address)) continue;

    const name = nameAt(names, view.getUint32(at, true));
    const place = { path, field: `st_name[${at / SYM_SIZE}]`, offset: offset + at };
    if (name === undefined) {
      return fail({ ...place, kind: 'malformed', reason: 'the name runs out of the string table' });
    }
    nameBytes += name.length;
    if (nameBytes > MAX_NAME_BYTES) {
      const [value, limit] = [`${nameBytes} bytes of names`, `${MAX_NAME_BYTES}`];
      return fail({ ...place, kind: 'too-large', value, limit });
    }
    symbols.push({
      name,
      address,
      size: view.getUint32(at + 16, true) + view.getUint32(at + 20, true) * 2 ** 32,
      kind,
      global: info >> 4 !== STB_LOCAL,
      weak: info >> 4 === STB_WEAK,
      absolute: section === SHN_ABS,
    });
  }
  return ok(symbols);
}

function symbolKind(type: number): ElfSymbol['kind'] | undefined {
  switch (type) {
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

function wordPair(view: DataView, at: number): number {
  return addressFromWords(view.getUint32(at, true), view.getUint32(at + 4, true));
}
