/**
 * Writes SFrame sections of every version, for tests. Written from the SFrame spec alone and
 * sharing nothing with the decoder, so that a misreading has to be made twice to go unseen.
 */

/** One frame row entry. */
export interface RowSpec {
  start: number;
  /** CFA base of a default row. */
  base?: 'sp' | 'fp';
  mangled?: boolean;
  /** Bytes per data word; 1 unless said otherwise. */
  wordSize?: 1 | 2 | 4;
  /** The data words as stored, signed or unsigned. */
  words: number[];
}

/** One function descriptor entry. */
export interface FunctionSpec {
  /** Absolute address. */
  start: number;
  size: number;
  /** Bytes per row start; 1 unless said otherwise. */
  startSize?: 1 | 2 | 4;
  /** PC type MASK with this block size; INC when absent. */
  repSize?: number;
  keyB?: boolean;
  /** V3 only. */
  signal?: boolean;
  /** V3 only. */
  flex?: boolean;
  rows: RowSpec[];
}

/** One section. */
export interface SectionSpec {
  version: 1 | 2 | 3;
  address: number;
  /** `sfp_flags`; decides how starts are written. */
  flags?: number;
  aux?: number[];
  /** Bytes between the function table and the rows, and after the rows. */
  gap?: number;
  functions: FunctionSpec[];
}

const FLAG_PCREL = 4;

/** A growing little-endian buffer. */
class Writer {
  readonly out: number[] = [];
  put(value: number, size: number): void {
    const wide = BigInt.asUintN(64, BigInt(value));
    for (let i = 0; i < size; i++) this.out.push(Number((wide >> BigInt(8 * i)) & 0xffn));
  }
}

/** A control data word of a flexible row (spec section 3.2). */
export function control(parts: { reg?: number; deref?: boolean }): number {
  const register = parts.reg === undefined ? 0 : (parts.reg << 3) | 1;
  return register | (parts.deref === true ? 2 : 0);
}

/** The bytes of `spec`. */
export function encodeSFrame(spec: SectionSpec): Uint8Array {
  const { version, flags = 0, aux = [], gap = 0 } = spec;
  const rows = new Writer();
  const table = new Writer();
  const tableOffset = 28 + aux.length;
  let rowCount = 0;
  for (const func of spec.functions) {
    const fieldOffset = tableOffset + table.out.length;
    const rowsOffset = rows.out.length;
    const from = spec.address + ((flags & FLAG_PCREL) !== 0 ? fieldOffset : 0);
    const info = infoByte(func);
    table.put(func.start - from, version === 3 ? 8 : 4);
    table.put(func.size, 4);
    table.put(rowsOffset, 4);
    if (version === 3) {
      rows.put(func.rows.length, 2);
      rows.put(info, 1);
      rows.put(func.flex === true ? 1 : 0, 1);
      rows.put(func.repSize ?? 0, 1);
    } else {
      table.put(func.rows.length, 4);
      table.put(info, 1);
      if (version === 2) {
        table.put(func.repSize ?? 0, 1);
        table.put(0, 2);
      }
    }
    for (const row of func.rows) encodeRow(rows, func, row);
    rowCount += func.rows.length;
  }

  const all = new Writer();
  all.put(0xdee2, 2);
  all.put(version, 1);
  all.put(flags, 1);
  all.put(2, 1); // AArch64 little-endian
  all.put(0, 2); // no fixed FP and RA offsets
  all.put(aux.length, 1);
  all.put(spec.functions.length, 4);
  all.put(rowCount, 4);
  all.put(rows.out.length, 4);
  all.put(0, 4);
  all.put(table.out.length + gap, 4);
  const padding = new Array<number>(gap).fill(0xee);
  return Uint8Array.from([...all.out, ...aux, ...table.out, ...padding, ...rows.out, ...padding]);
}

function infoByte(func: FunctionSpec): number {
  return (
    Math.log2(func.startSize ?? 1) |
    (func.repSize === undefined ? 0 : 0x10) |
    (func.keyB === true ? 0x20 : 0) |
    (func.signal === true ? 0x80 : 0)
  );
}

function encodeRow(out: Writer, func: FunctionSpec, row: RowSpec): void {
  const wordSize = row.wordSize ?? 1;
  out.put(row.start, func.startSize ?? 1);
  out.put(
    (row.base === 'fp' ? 0 : 1) |
      (row.words.length << 1) |
      (Math.log2(wordSize) << 5) |
      (row.mangled === true ? 0x80 : 0),
    1,
  );
  for (const word of row.words) out.put(word, wordSize);
}
