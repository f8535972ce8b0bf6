/** The bytes of a file, which are read piece by piece or are in memory already. */

/** The bytes of a file, with random access. */
export interface FileBytes {
  /** Size in bytes. */
  readonly size: number;
  /**
   * The bytes of a range; fewer where the file ends.
   * @throws Error when the file has become shorter since it was opened
   */
  read(offset: number, length: number): Buffer;
}

/** {@link FileBytes} over bytes already in memory; reads return views of them. */
export function bytesInMemory(bytes: Uint8Array): FileBytes {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { size: file.length, read: (offset, length) => file.subarray(offset, offset + length) };
}

/** A range of a file, read on first use. The caller has checked its bounds. */
export class LazyBytes {
  private bytes: Uint8Array | undefined;

  constructor(
    private readonly file: FileBytes,
    private readonly offset: number,
    private readonly length: number,
  ) {}

  /** The bytes, read-only. @throws Error when the file has become shorter since it was opened */
  get data(): Uint8Array {
    return (this.bytes ??= this.file.read(this.offset, this.length));
  }
}
