/**
 * elfy 1.0.0: the part of its parser that reads structure, as far as it is used. It throws on bad input,
 * rounds 64-bit words to a Number, and reads sh_addralign and sh_entsize at the wrong offsets.
 */
declare module 'elfy' {
  import type { Buffer } from 'node:buffer';

  export interface Header {
    readonly phoff: number;
    readonly phnum: number;
    readonly shoff: number;
    readonly shnum: number;
  }

  export interface Program {
    readonly flags: { readonly r?: true; readonly w?: true; readonly x?: true };
  }

  export interface Section {
    /** Offset of the name in the section header string table. */
    readonly name: number;
    readonly link: number;
    readonly info: number;
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
