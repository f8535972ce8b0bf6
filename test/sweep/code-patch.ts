/** Changes instructions of an image's functions, found by what they disassemble to. */
import { NOP } from '../../aarch64/encodings.js';
import type { ElfImage } from '../../elf/image.js';
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

  /** Index of the `nth` instruction whose text matches, from 0; a test error when there is none. */
  find(text: RegExp, nth = 0): number {
    const matching = [...this.texts.keys()].filter((i) => text.test(this.texts[i] ?? ''));
    const index = matching[nth];
    if (index === undefined) throw new Error(`${this.symbol.name}: no ${text.source} (${nth})`);
    return index;
  }

  /** Replace an instruction by one that does nothing. */
  drop(text: RegExp, nth = 0): void {
    this.words[this.find(text, nth)] = NOP;
  }

  /** Change the bits of an instruction that differ between two encodings of it. */
  change(text: RegExp, from: number, to: number, nth = 0): void {
    const at = this.find(text, nth);
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

/** The image with the code of one function changed, wherever it is loaded. */
export function patchCode(
  image: ElfImage,
  disassembler: Disassembler,
  name: string,
  change: (code: CodePatch) => void,
): ElfImage {
  const symbol = image.symbols.find((candidate) => candidate.name === name);
  if (symbol === undefined) throw new Error(`${image.path}: no symbol ${name}`);
  const holds = (at: number, size: number): boolean =>
    symbol.address >= at && symbol.address + symbol.size <= at + size;
  const segment = image.segments.find(({ address, data }) => holds(address, data.length));
  if (segment === undefined) throw new Error(`${image.path}: ${name} is in no segment`);
  const offset = symbol.address - segment.address;
  const code = segment.data.subarray(offset, offset + symbol.size);
  const patch = new CodePatch(symbol, code, disassembler);
  change(patch);
  const bytes = new Uint8Array(patch.words.buffer);
  return {
    ...image,
    applyRelocations(bias = 0) {
      const loaded = image.applyRelocations(bias);
      if (!loaded.ok) return loaded;
      for (const { address, data } of loaded.value) {
        if (holds(address - bias, data.length)) data.set(bytes, symbol.address + bias - address);
      }
      return loaded;
    },
  };
}
