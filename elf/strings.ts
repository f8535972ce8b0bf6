/** String tables: the names of sections and symbols (gABI chapter 4). */

/** Longest name read, in bytes; the kernel allows 511 (KSYM_NAME_LEN, v7.3-rc7). */
const MAX_NAME = 4096;

/**
 * The string at `offset` in a string table. Undefined when it starts outside the table, is not
 * terminated, or is longer than {@link MAX_NAME}: without that limit, each name in an unterminated
 * table would cost a scan of the whole table. Control characters are written as readelf does, `^J`,
 * because names end up in one-line reports.
 */
export function nameAt(table: Uint8Array, offset: number): string | undefined {
  if (offset === 0 && table.length === 0) return '';
  const window = Buffer.from(
    table.buffer,
    table.byteOffset + Math.min(offset, table.length),
    Math.max(0, Math.min(MAX_NAME + 1, table.length - offset)),
  );
  const end = window.indexOf(0);
  if (end < 0) return undefined;
  const name = window.toString('utf8', 0, end);
  return CONTROL.test(name) ? name.replace(EVERY_CONTROL, caret) : name;
}

const CONTROL = /\p{Cc}/u;
const EVERY_CONTROL = /\p{Cc}/gu;

function caret(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x80 ? `^${String.fromCharCode(code ^ 0x40)}` : '?';
}
