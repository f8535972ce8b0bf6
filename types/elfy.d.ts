/**
 * elfy 1.0.0: the part of its parser that reads structure. It throws on bad input, rounds
 * 64-bit words to a Number, and reads sh_addralign and sh_entsize at the wrong offsets,
 * so those are not declared.
 */
declare module 'elfy' {
  import type { Buffer } from 'node:buffer';

  export interface Header {
    readonly phoff: number;
    readonly phnum: number;
    readonly phentsize: number;
    readonly shoff: number;
    readonly shnum: number;
    readonly shentsize: number;
    readonly shstrndx: number;
  }

  export interface Program {
    readonly offset: number;
    readonly filesz: number;
    readonly memsz: number;
    readonly flags: { readonly r?: true; readonly w?: true; readonly x?: true };
    /** A view of the file, cut short where the file ends. */
    readonly data: Buffer;
  }

  export interface Section {
    /** Offset of the name in the section header string table. */
    readonly name: number;
    readonly off: number;
    readonly size: number;
    readonly link: number;
    readonly info: number;
    /** A view of the file, cut short where the file ends; meaningless for SHT_NOBITS. */
    readonly data: Buffer;
  }

  export interface Parser {
    parseHeader(file: Buffer): Header;
    parseBody(
      file: Buffer,
      header: Header,
    ): { readonly programs: Program[]; readonly sections: Section[] };
  }

  const elfy: { readonly Parser: new () => Parser };
  export default elfy;
}
