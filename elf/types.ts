import type { Address } from '../base/address.js';
import type { ElfError } from './error.js';
import type { Result } from '../base/result.js';

/** One PT_LOAD program header (ELF gABI chapter 5). */
export interface ElfSegment {
  /** p_vaddr: linked address of the first byte. */
  readonly address: Address;
  /** p_memsz in bytes; what exceeds `data` is zero. */
  readonly memorySize: number;
  /** The p_filesz bytes of the file, a view: do not write. Relocations are not applied. */
  readonly data: Uint8Array;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly executable: boolean;
}

/** One segment as it lies in memory, in bytes of its own that may be written. */
export interface LoadedSegment {
  /** Linked address plus the bias. */
  readonly address: Address;
  /** p_memsz bytes: file contents, relocated, then zeroes. */
  readonly data: Uint8Array;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly executable: boolean;
}

/** One defined symbol of type STT_FUNC, STT_OBJECT, STT_NOTYPE or STT_GNU_IFUNC. */
export interface ElfSymbol {
  readonly name: string;
  /** st_value: a linked address, or the value itself when `absolute`. */
  readonly address: Address;
  /** st_size in bytes; 0 when the source gave none. */
  readonly size: number;
  readonly kind: 'function' | 'object' | 'other';
  /** STB_GLOBAL or STB_WEAK, as opposed to STB_LOCAL. */
  readonly global: boolean;
  /** STB_WEAK. */
  readonly weak: boolean;
  /** SHN_ABS: a constant, not a place in the image. */
  readonly absolute: boolean;
}

/** One section header and its contents. */
export interface ElfSection {
  readonly name: string;
  /** sh_addr; 0 when the section is not loaded. */
  readonly address: Address;
  /** sh_size in bytes. */
  readonly size: number;
  /** The bytes in the file, a view: do not write. Empty for SHT_NOBITS. */
  readonly data: Uint8Array;
  /** sh_offset: where `data` lies in the file. */
  readonly offset: number;
  /** sh_type. */
  readonly type: number;
  /** The low 32 bits of sh_flags. */
  readonly flags: number;
  /** sh_link: index of a related section. */
  readonly link: number;
}

/**
 * What to do about a dynamic relocation that is not relative: `refuse` the file, since it cannot run
 * without it, or `keep` the word as linked, for who reads or executes the code but not what is behind
 * the word.
 */
export type OtherRelocations = 'refuse' | 'keep';

/** A linked little-endian AArch64 ELF file. */
export interface ElfImage {
  readonly path: string;
  readonly type: 'exec' | 'dyn';
  /** e_entry. */
  readonly entry: Address;
  /** PT_LOAD segments by rising address; they do not overlap and there is at least one. */
  readonly segments: readonly ElfSegment[];
  readonly sections: readonly ElfSection[];
  /** In file order. Empty for a stripped file. */
  readonly symbols: readonly ElfSymbol[];
  /** No .symtab: names come from .dynsym at best. A warning for the caller to print. */
  readonly stripped: boolean;
  /** The `.sframe` sections: type SHT_GNU_SFRAME, that name, or the PT_GNU_SFRAME segment. */
  readonly sframe: readonly ElfSection[];
  /** The first section of that name. */
  section(name: string): ElfSection | undefined;
  /**
   * Bytes of the file, read now and not kept; fewer where it ends. For sections too large to be held as `data`.
   * @throws Error when the file can no longer be read
   */
  read(offset: number, length: number): Uint8Array;
  /**
   * Fresh memory for every segment, moved by `bias` bytes (default 0), with
   * R_AARCH64_RELATIVE (RELA) and RELR relocations applied. Call it also for bias 0:
   * the words of a position-independent vmlinux are zero until then.
   * @param others what becomes of relocations of other types, which a dynamic linker resolves
   */
  applyRelocations(
    bias?: number,
    others?: OtherRelocations,
  ): Result<readonly LoadedSegment[], ElfError>;
}
