/** Reads a section of any size through a window, so that only the window is in memory. */
import { type ByteProblem, ByteCursor } from '../../base/byte-cursor.js';
import { type DebugInfoError, DebugInfoProblem } from './error.js';

/** Bytes with random access. */
export interface ByteSource {
  /** Number of bytes. */
  readonly size: number;
  /**
   * The bytes of a range, which must lie within. Throws the implementation's error when unreadable.
   */
  read(offset: number, length: number): Uint8Array;
}

const NOTHING = new DataView(new ArrayBuffer(0));

/** A {@link ByteCursor} whose view is the window and whose offsets are in the section. */
export class SectionCursor extends ByteCursor {
  private low = 0;
  private high = 0;

  /** @param window bytes read at a time; no single field may be longer */
  constructor(
    readonly section: string,
    private readonly source: ByteSource,
    private readonly window: number,
  ) {
    super(NOTHING, 0, source.size);
  }

  override fail(kind: ByteProblem, field: string, offset: number, value: number): never {
    this.refuse(kind, field, offset, value);
  }

  /** @throws DebugInfoProblem */
  refuse(kind: DebugInfoError['kind'], field: string, offset: number, value: number): never {
    throw new DebugInfoProblem({ kind, section: this.section, field, offset, value });
  }

  override skip(field: string, length: number): number {
    const start = this.at;
    if (length > this.end - start) this.fail('truncated', field, start, length);
    if (start < this.low || start + length > this.high) this.load(start);
    this.at = start + length;
    return start - this.low;
  }

  /** Skips bytes without reading them. */
  pass(field: string, length: number): void {
    if (length > this.end - this.at) this.fail('truncated', field, this.at, length);
    this.at += length;
  }

  /** Skips a LEB128 of any length (DWARF 5 section 7.6). */
  passLeb(field: string): void {
    while (this.u8(field) >= 0x80);
  }

  /** A section offset of 4 or 8 bytes; one above 2^53 is refused. */
  offset(field: string, size: number): number {
    if (size === 4) return this.u32(field);
    const start = this.at;
    const value = this.word(field);
    if (!Number.isSafeInteger(value) || value < 0) this.refuse('bad-number', field, start, 0);
    return value;
  }

  /** Moves to an offset in the section, and lets the cursor read up to the section's end again. */
  seek(at: number): void {
    this.at = at;
    this.end = this.source.size;
  }

  private load(start: number): void {
    const length = Math.min(this.window, this.source.size - start);
    const bytes = this.source.read(start, length);
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.low = start;
    this.high = start + bytes.byteLength;
  }
}
