/** The entries of a relocation section with addends (gABI chapter 4, Elf64_Rela). */
import { type Address, addressFromWords } from '../base/address.js';
import { type ElfError, malformed } from './error.js';
import { RELA_SIZE } from './format.js';
import type { ElfSection } from './sections.js';

/** The entries of one SHT_RELA section, numbered from 0. */
export class RelocationEntries {
  /** Number of complete entries. */
  readonly count: number;
  private readonly view: DataView;

  constructor(private readonly section: ElfSection) {
    const { buffer, byteOffset, byteLength } = section.data;
    this.count = Math.floor(byteLength / RELA_SIZE);
    this.view = new DataView(buffer, byteOffset, byteLength);
  }

  /** R_AARCH64_*. */
  type(index: number): number {
    return this.view.getUint32(index * RELA_SIZE + 8, true);
  }

  /** Number of the symbol in the table that sh_link names. */
  symbol(index: number): number {
    return this.view.getUint32(index * RELA_SIZE + 12, true);
  }

  /** r_offset in a linked file: the address to relocate. */
  address(index: number): Address {
    const at = index * RELA_SIZE;
    return addressFromWords(this.view.getUint32(at, true), this.view.getUint32(at + 4, true));
  }

  /**
   * r_offset in an object: bytes from the start of the relocated section; Infinity from 4 GiB on.
   */
  offset(index: number): number {
    const at = index * RELA_SIZE;
    return this.view.getUint32(at + 4, true) === 0 ? this.view.getUint32(at, true) : Infinity;
  }

  addend(index: number): bigint {
    return this.view.getBigInt64(index * RELA_SIZE + 16, true);
  }

  /** An error when the section's size is not a whole number of entries. */
  checkEnd(path: string): ElfError | undefined {
    return this.view.byteLength === this.count * RELA_SIZE
      ? undefined
      : malformed(path, ...this.place(this.count), 'incomplete entry');
  }

  /** How an error names an entry: field, and offset in the file in bytes. */
  place(index: number): [field: string, offset: number] {
    const { name, offset } = this.section;
    return [`${name}[${index}]`, offset + index * RELA_SIZE];
  }
}
