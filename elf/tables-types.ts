import type { Address } from '../base/address.js';
import type { ElfSection } from './types.js';

/** A section of any ELF file. The `address` of an object's section is where it was laid out. */
export interface TableSection extends ElfSection {
  readonly index: number;
  /** sh_info: for a relocation section the section that it changes. */
  readonly info: number;
  /** SHF_ALLOC: it is loaded. */
  readonly loaded: boolean;
  /** SHF_EXECINSTR. */
  readonly executable: boolean;
}

/** A defined symbol with what {@link ElfSymbol} leaves out. */
export interface TableSymbol {
  readonly name: string;
  readonly address: Address;
  /** st_size in bytes; 0 when the source gave none. */
  readonly size: number;
  readonly kind: 'function' | 'object' | 'other';
  readonly global: boolean;
  /** st_shndx. */
  readonly section: number;
  /** Of a local symbol: the STT_FILE symbol before it, '' when there is none. */
  readonly file: string;
}

/** What tools that read tables, and execute nothing, need of an ELF file. */
export interface ElfTables {
  readonly path: string;
  readonly type: 'exec' | 'dyn' | 'rel';
  readonly sections: readonly TableSection[];
  /** In file order. */
  readonly symbols: readonly TableSymbol[];
  /** No .symtab. */
  readonly stripped: boolean;
  /** The `.sframe` sections that are loaded, relocated. */
  readonly sframe: readonly TableSection[];
  /** `.eh_frame` and `.debug_frame`, relocated; not those that are compressed. */
  readonly dwarfFrames: readonly TableSection[];
}
