/**
 * Watches an ELF file while it is being decompressed, to stop a decompression bomb early. The first
 * bytes show whether the file can be read at all, the headers show how long it can be, and no
 * kernel compresses to less than a two-hundredth of its size.
 */
import type { ElfError } from './error.js';
import type { FileBytes } from './file-bytes.js';
import { START_SIZE } from './file-kind.js';
import { EHDR_SIZE, SHT_NOBITS } from './format.js';
import { checkStart, type ElfHeader, readHeader } from './header.js';

/** Largest decompressed file, in bytes. */
const MAX_SIZE = 2 ** 33;
/**
 * Largest decompressed size, as a multiple of the compressed size. A vmlinux compresses to a third,
 * one with debugging information to a fifth.
 */
const MAX_RATIO = 200;
/**
 * Size that {@link MAX_RATIO} always allows, in bytes, because a small file may compress to almost
 * nothing.
 */
const FREE_SIZE = 2 ** 26;
/** Bytes that may follow the last section, such as a module's signature. */
const APPENDIX = 2 ** 20;

/** Follows the growth of one decompressed file. */
export class Inflow {
  private most: number;
  private limitedBy: 'ratio' | 'headers' = 'ratio';
  private startIsChecked = false;
  private endIsKnown = false;
  /** The size of the file at which to read its headers next. */
  private nextLook = EHDR_SIZE;

  /**
   * @param path appears only in errors
   * @param compressed size of the compressed file, in bytes
   */
  constructor(
    private readonly path: string,
    compressed: number,
  ) {
    this.most = Math.min(MAX_SIZE, Math.max(FREE_SIZE, MAX_RATIO * compressed));
  }

  /** Largest size that the file may have, as far as known by now, in bytes. */
  get limit(): number {
    return this.most;
  }

  /**
   * To be called when the file has grown.
   * @param file what has been decompressed so far
   * @returns why to stop; undefined to go on
   */
  grown(file: FileBytes): ElfError | undefined {
    if (!this.startIsChecked && file.size >= START_SIZE) {
      const foreign = this.checkStart(file);
      if (foreign !== undefined) return foreign;
    }
    if (this.startIsChecked && !this.endIsKnown && file.size >= this.nextLook) this.findEnd(file);
    const isTooFar = !this.endIsKnown && this.nextLook > this.most;
    return isTooFar || file.size > this.most ? this.excess() : undefined;
  }

  /**
   * To be called when the file is complete.
   * @returns why it cannot be read; undefined when it can
   */
  ended(file: FileBytes): ElfError | undefined {
    return this.grown(file) ?? (this.startIsChecked ? undefined : this.checkStart(file));
  }

  /** The error of a file that is larger than {@link limit}. */
  excess(): ElfError {
    const { path, most, limitedBy } = this;
    return { path, field: 'file', offset: 0, kind: 'bomb', limit: most, limitedBy };
  }

  private checkStart(file: FileBytes): ElfError | undefined {
    this.startIsChecked = true;
    return checkStart(this.path, file);
  }

  private findEnd(file: FileBytes): void {
    const header = readHeader(this.path, file, 'any');
    if (!header.ok) {
      const { error } = header;
      // Wait for tables that are further on. The loader reports any other error.
      if (error.kind === 'truncated') this.nextLook = error.offset + Number(error.bytes);
      else this.endIsKnown = true;
      return;
    }
    this.endIsKnown = true;
    const end = contentsEnd(header.value) + APPENDIX;
    if (end >= this.most) return;
    this.most = end;
    this.limitedBy = 'headers';
  }
}

/** One past the last byte that the headers refer to. */
function contentsEnd({ programs, sections }: ElfHeader): number {
  let end = 0n;
  const reach = (offset: bigint, size: bigint): void => {
    if (offset + size > end) end = offset + size;
  };
  for (const { offset, fileSize } of programs) reach(offset, fileSize);
  for (const { type, offset, size } of sections) if (type !== SHT_NOBITS) reach(offset, size);
  const last = Math.max(...[programs.at(-1), sections.at(-1)].map((entry) => entry?.at ?? 0));
  reach(BigInt(last), BigInt(EHDR_SIZE));
  return Number(end);
}
