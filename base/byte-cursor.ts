/** Reads little-endian fields in sequence; every read is checked against an end. */
import { addressFromWords, type Address } from './address.js';

/** Problems that a cursor itself finds: a field past the end, or a number wider than 53 bits. */
export type ByteProblem = 'truncated' | 'bad-number';

/**
 * Reads through bytes that the caller owns.
 * @typeParam Problem names of the further problems that the users of a subclass report
 */
export abstract class ByteCursor<Problem extends string = never> {
  /** @param view little-endian; offsets and lengths are in bytes */
  constructor(
    public view: DataView,
    /** Offset of the next byte in the section. */
    public at: number,
    /** One past the last byte that may be read. */
    public end: number,
  ) {}

  get done(): boolean {
    return this.at >= this.end;
  }

  /**
   * Throws the subclass's own error.
   * @param field name of the field, as the format's specification spells it
   * @param offset of that field, in bytes
   * @param value the offending value; for `truncated`, how many bytes are needed
   */
  abstract fail(kind: Problem | ByteProblem, field: string, offset: number, value: number): never;

  /**
   * Moves past `length` bytes.
   * @returns the offset in {@link view} of the first of them; a subclass that reads through a
   * window may have replaced the view
   */
  skip(field: string, length: number): number {
    const start = this.at;
    if (length > this.end - start) {
      this.fail('truncated', field, start, length - Math.max(0, this.end - start));
    }
    this.at += length;
    return start;
  }

  u8(field: string): number {
    const at = this.skip(field, 1);
    return this.view.getUint8(at);
  }

  u16(field: string): number {
    const at = this.skip(field, 2);
    return this.view.getUint16(at, true);
  }

  u32(field: string): number {
    const at = this.skip(field, 4);
    return this.view.getUint32(at, true);
  }

  s32(field: string): number {
    const at = this.skip(field, 4);
    return this.view.getInt32(at, true);
  }

  /** A 64-bit word as an {@link Address}: exact when it is a canonical address. */
  word(field: string): Address {
    const at = this.skip(field, 8);
    return addressFromWords(this.view.getUint32(at, true), this.view.getInt32(at + 4, true));
  }

  /** ULEB128 (DWARF 5 section 7.6); values wider than 53 bits are refused. */
  uleb(field: string): number {
    return this.leb(field, false);
  }

  /** SLEB128; values wider than 53 bits are refused. */
  sleb(field: string): number {
    return this.leb(field, true);
  }

  /** A NUL-terminated string, one character per byte; moves past the NUL. */
  text(field: string): string {
    let text = '';
    for (;;) {
      const byte = this.u8(field);
      if (byte === 0) return text;
      text += String.fromCharCode(byte);
    }
  }

  private leb(field: string, signed: boolean): number {
    const start = this.at;
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.u8(field);
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte < 0x80) {
        if (signed && (byte & 0x40) !== 0) value -= scale;
        if (!Number.isSafeInteger(value)) this.fail('bad-number', field, start, 0);
        return value;
      }
      // Ten bytes hold 64 bits; no writer pads a number beyond that.
      if (this.at - start >= 10) this.fail('bad-number', field, start, 0);
    }
  }
}
