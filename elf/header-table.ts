/** The program headers or the section headers of a file, as they are there. */
export interface HeaderTable {
  readonly bytes: Buffer;
  /** Where in the file it lies, in bytes. */
  readonly offset: number;
}
