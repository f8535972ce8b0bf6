/** A range of a file that is read when it is used for the first time. */
import type { FileBytes } from './file-bytes.js';

/** The range; its bounds have been checked. */
export class LazyBytes {
  private bytes: Uint8Array | undefined;

  constructor(
    private readonly file: FileBytes,
    private readonly offset: number,
    private readonly length: number,
  ) {}

  /** The bytes: do not write. */
  get data(): Uint8Array {
    return (this.bytes ??= this.file.read(this.offset, this.length));
  }
}
