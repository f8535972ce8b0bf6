/**
 * Reads parts of sections, compressed ones included (gABI, Compressed Sections; GNU `.zdebug_*`). A
 * compressed section is decompressed only as far as it is read: of debugging information only a
 * small part at the start is needed.
 */
import { constants, inflateSync } from 'node:zlib';
import { CHDR_SIZE, ELFCOMPRESS_ZLIB, ELFCOMPRESS_ZSTD, SHF_COMPRESSED } from './format.js';
import type { ElfFile } from './file.js';
import type { ElfSection } from './sections.js';
import { zstdChunks, zstdIsReady } from './zstd-stream.js';

/** The bytes of a section, decompressed. */
export interface SectionBytes {
  /** Size in bytes; for a compressed section, the size that its header gives. */
  readonly size: number;
  /** The bytes of a range, which must lie within. @throws SectionUnreadable */
  read(offset: number, length: number): Uint8Array;
}

/** Why a section cannot be read; the message is one line. */
export class SectionUnreadable extends Error {}

/** Limit on the decompressed bytes of one section, all of which are held in memory. */
const MAX_INFLATED = 2 ** 28;
/** Compressed bytes to start with; doubled for each further attempt. */
const FIRST_PIECE = 2 ** 18;
const GNU_HEADER_SIZE = 12;

/**
 * The section of that name, or else of its old compressed name: `.zdebug_info` for `.debug_info`.
 * Undefined when there is neither.
 * @throws SectionUnreadable when the header of a compressed section is wrong
 */
export function sectionBytes(elf: ElfFile, name: string): SectionBytes | undefined {
  const section = elf.section(name);
  if (section !== undefined) return new Contents(elf, section).bytes();
  const old = elf.section(name.replace(/^\./, '.z'));
  return old && new Contents(elf, old).gnuBytes();
}

class Contents {
  constructor(
    private readonly elf: ElfFile,
    private readonly section: ElfSection,
  ) {}

  bytes(): SectionBytes {
    const { section } = this;
    const read = (offset: number, length: number): Uint8Array => this.part(offset, length);
    if ((section.flags & SHF_COMPRESSED) === 0) return { size: section.size, read };
    const header = this.part(0, Math.min(CHDR_SIZE, section.size));
    if (header.length < CHDR_SIZE)
      throw this.problem('is compressed but has no compression header');
    const type = header.readUInt32LE(0);
    const size = Number(header.readBigUInt64LE(8));
    if (type === ELFCOMPRESS_ZLIB)
      return new Inflated(size, this.problem, this.inflater(CHDR_SIZE));
    if (type !== ELFCOMPRESS_ZSTD) throw this.problem(`has compression type ${type}, not 1 or 2`);
    if (!zstdIsReady()) throw this.problem('is compressed with zstd, whose decoder is not loaded');
    return new Inflated(size, this.problem, this.zstdDecoder());
  }

  gnuBytes(): SectionBytes {
    const header = this.part(0, Math.min(GNU_HEADER_SIZE, this.section.size));
    if (header.toString('latin1', 0, 4) !== 'ZLIB' || header.length < GNU_HEADER_SIZE) {
      throw this.problem("does not begin with 'ZLIB' and a size");
    }
    const size = Number(header.readBigUInt64BE(4));
    return new Inflated(size, this.problem, this.inflater(GNU_HEADER_SIZE));
  }

  readonly problem = (what: string): SectionUnreadable =>
    new SectionUnreadable(`${this.section.name} ${what}`);

  private part(offset: number, length: number): Buffer {
    const { section, elf } = this;
    try {
      const bytes = elf.read(section.offset + offset, length);
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    } catch (error) {
      throw this.problem(`cannot be read: ${error instanceof Error ? error.message : 'no reason'}`);
    }
  }

  /** Node's synchronous zlib cannot resume, so each step starts again with twice as much input. */
  private *inflater(start: number): Generator<Uint8Array> {
    const all = this.section.size - start;
    for (let taken = FIRST_PIECE; ; taken *= 2) {
      const finishFlush = taken < all ? constants.Z_SYNC_FLUSH : constants.Z_FINISH;
      const piece = this.part(start, Math.min(taken, all));
      yield inflateSync(piece, { finishFlush, maxOutputLength: MAX_INFLATED });
      if (taken >= all) return;
    }
  }

  private *zstdDecoder(): Generator<Uint8Array> {
    let held = Buffer.alloc(0);
    let used = 0;
    for (const chunk of zstdChunks(this.pieces(CHDR_SIZE))) {
      if (used + chunk.length > held.length) {
        const larger = Buffer.alloc(Math.max(2 * held.length, used + chunk.length));
        held.copy(larger, 0, 0, used);
        held = larger;
      }
      held.set(chunk, used);
      used += chunk.length;
      yield held.subarray(0, used);
    }
  }

  private *pieces(start: number): Generator<Uint8Array> {
    for (let at = start; at < this.section.size; at += FIRST_PIECE) {
      yield this.part(at, Math.min(FIRST_PIECE, this.section.size - at));
    }
  }
}

class Inflated implements SectionBytes {
  private held: Uint8Array = new Uint8Array(0);

  constructor(
    readonly size: number,
    private readonly problem: (what: string) => SectionUnreadable,
    /** Yields the contents from the start, longer each time. */
    private readonly more: Generator<Uint8Array>,
  ) {}

  read(offset: number, length: number): Uint8Array {
    const end = offset + length;
    if (end > MAX_INFLATED) throw this.tooMuch();
    while (this.held.length < end) {
      const next = this.next();
      if (next === undefined)
        throw this.problem(
          `decompresses to less than the ${this.size} bytes that its header gives`,
        );
      this.held = next;
    }
    return this.held.subarray(offset, end);
  }

  private tooMuch(): SectionUnreadable {
    const why = `is compressed, and more than ${MAX_INFLATED} bytes of it are needed`;
    return this.problem(`${why}: use objcopy --decompress-debug-sections`);
  }

  private next(): Uint8Array | undefined {
    try {
      const { done, value } = this.more.next() as IteratorResult<Uint8Array, undefined>;
      return done === true ? undefined : value;
    } catch (error) {
      if (error instanceof SectionUnreadable) throw error;
      // Only inflateSync() throws this: the output exceeds its limit.
      if (error instanceof RangeError) throw this.tooMuch();
      const reason = error instanceof Error ? error.message : 'no reason';
      throw this.problem(`is compressed but corrupt: ${reason}`);
    }
  }
}
