/** Longest name read, in bytes; the kernel allows 511 (KSYM_NAME_LEN, v7.3-rc7). */
export const MAX_NAME = 4096;

/**
 * The string at `offset` of a string table (gABI chapter 4). Undefined when it starts
 * outside the table, is not terminated, or is longer than {@link MAX_NAME}: without that
 * last bound a table of n bytes and no terminator costs n bytes for every name.
 */
export function nameAt(table: Uint8Array, offset: number): string | undefined {
  if (offset === 0 && table.length === 0) return '';
  const window = Buffer.from(
    table.buffer,
    table.byteOffset + Math.min(offset, table.length),
    Math.max(0, Math.min(MAX_NAME + 1, table.length - offset)),
  );
  const end = window.indexOf(0);
  return end < 0 ? undefined : window.toString('utf8', 0, end);
}
