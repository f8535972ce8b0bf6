/** Changes instructions of a function, found by what they disassemble to. */
import { NOP } from '../../aarch64/encodings.js';
import type { ElfSymbol } from '../../elf/symbols.js';
import type { Disassembler } from '../../aarch64/disassembler.js';

/** The instructions of one function, to be changed. */
export class CodePatch {
  /** Instruction words, in order. */
  readonly words: Uint32Array;
  private readonly texts: readonly string[];

  constructor(
    readonly symbol: ElfSymbol,
    bytes: Uint8Array,
    disassembler: Disassembler,
  ) {
    this.words = new Uint32Array(new Uint8Array(bytes).buffer);
    this.texts = disassembler.disassembleAll(bytes, symbol.address).map(({ text }) => text);
  }

  /** Index of the instruction whose text matches; a test error when it is not exactly one. */
  find(text: RegExp): number {
    const matching = [...this.texts.keys()].filter((i) => text.test(this.texts[i] ?? ''));
    const [index] = matching;
    if (index === undefined || matching.length > 1) {
      throw new Error(`${this.symbol.name}: ${text.source} matches ${matching.length} times`);
    }
    return index;
  }

  /** Replace an instruction by one that does nothing. */
  drop(text: RegExp): void {
    this.words[this.find(text)] = NOP;
  }

  /** Change the bits of an instruction that differ between two encodings of it. */
  change(text: RegExp, from: number, to: number): void {
    const at = this.find(text);
    this.words[at] = ((this.words[at] as number) ^ from ^ to) >>> 0;
  }

  /** Move an instruction in front of an earlier one. Neither must be PC-relative. */
  moveBefore(text: RegExp, earlier: RegExp): void {
    const from = this.find(text);
    const to = this.find(earlier);
    if (from <= to) throw new Error(`${this.symbol.name}: ${text.source} is not later`);
    const word = this.words[from] as number;
    this.words.copyWithin(to + 1, to, from);
    this.words[to] = word;
  }
}
