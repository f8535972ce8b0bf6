/** Addresses as a user types them. */
import { type Address, parseAddress } from '../../base/address.js';
import { fail, ok, type Result } from '../../base/result.js';
import type { SymbolTable } from '../../elf/symbol-table.js';

/**
 * Parse `symbol`, `symbol+0x10`, `symbol-8`, or hexadecimal with or without `0x`. A symbol wins
 * over a hexadecimal number of the same text. The error is one line.
 */
export function parsePlace(text: string, symbols: SymbolTable): Result<Address, string> {
  const typed = text.trim();
  if (typed === '') return fail('no address given');
  const parts = /^(.+?)\s*(?:([+-])\s*(0x[0-9a-f]{1,12}|[0-9]{1,12}))?$/i.exec(typed);
  const [, name = typed, sign, digits] = parts ?? [];
  const symbol = symbols.byName(name);
  if (symbol !== undefined) {
    return ok(symbol.address + (sign === '-' ? -1 : 1) * Number(digits ?? 0));
  }
  const address = digits === undefined ? parseAddress(name) : undefined;
  if (address !== undefined) return ok(address);
  const near = symbols.suggestions(name, 2);
  const hint = near.length === 0 ? '' : `; near: ${near.join(', ')}`;
  return fail(`no symbol ${name}, and no hexadecimal address${hint}`);
}

/** Most bytes that one watchpoint covers. */
const MAX_WATCH_BYTES = 4096;

/**
 * Parse a place and a size in bytes: `symbol+8 8`, `ffff800080010000 16`. The default size is 8.
 */
export function parseWatch(
  text: string,
  symbols: SymbolTable,
): Result<{ readonly address: Address; readonly size: number }, string> {
  const parts = /^(.*\S)\s+(0x[0-9a-f]{1,6}|[0-9]{1,6})$/i.exec(text.trim());
  const place = parsePlace(parts?.[1] ?? text, symbols);
  if (!place.ok) return place;
  const size = Number(parts?.[2] ?? 8);
  if (size < 1 || size > MAX_WATCH_BYTES)
    return fail(`a watch covers 1 to ${MAX_WATCH_BYTES} bytes`);
  return ok({ address: place.value, size });
}
