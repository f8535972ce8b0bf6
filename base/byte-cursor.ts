/** Reads little-endian bytes one field after the other; every read is checked against an end. */
import { addressFromWords, type Address } from './address.js';

/** What a cursor itself can find wrong: a field beyond the end, or a number of more than 53 bits. */
export type ByteProblem = 'truncated' | 'bad-number';

/**
 * Moves through bytes that somebody else owns.
 * @typeParam Problem what its users refuse besides, by name
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
   * Give up. What is thrown is its owner's own error.
   * @param field in the words of the format
   * @param offset of that field, in bytes
   * @param value the offending one; for `truncated` the bytes that are needed
   */
  abstract fail(kind: Problem | ByteProblem, field: string, offset: number, value: number): never;

  /**
   * Moves past `length` bytes. @returns the offset of the first in the view, which a reader through a
   * window may have replaced
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

  /** 64 bits as a signed address: exact for canonical ones. */
  word(field: string): Address {
    const at = this.skip(field, 8);
    return addressFromWords(this.view.getUint32(at, true), this.view.getInt32(at + 4, true));
  }

  /** DWARF 5 section 7.6; values of more than 53 bits are refused. */
  uleb(field: string): number {
    return this.leb(field, false);
  }

  sleb(field: string): number {
    return this.leb(field, true);
  }

  /** The text up to the zero byte, which is passed over. */
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
      // Ten bytes hold 64 bits; padding beyond that serves nobody.
      if (this.at - start >= 10) this.fail('bad-number', field, start, 0);
    }
  }
}
