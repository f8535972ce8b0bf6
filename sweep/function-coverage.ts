/**
 * How much of a function was executed. A sweep says nothing about instructions that its run does
 * not reach, and a function that returns early leaves most of its instructions unreached.
 *
 * The function is what its symbol covers: st_size, or up to the next symbol where st_size is 0.
 * Each word of it is an instruction, except for data (from a `$d` mapping symbol to the next `$x`)
 * and padding. Padding is NOP and UDF #0 words that directly follow an unconditional branch or a
 * return, so that no path falls into them. A word that was executed is an instruction, whatever it
 * looks like.
 */
import { mappingOf } from '../elf/symbol-names.js';
import type { Address } from '../base/address.js';
import { Flow, flowOf } from '../aarch64/control-flow.js';
import { NOP } from '../aarch64/encodings.js';
import type { Machine } from '../kernel-model/machine.js';

/** Half-open, in bytes from the function's first instruction. */
export type OffsetRange = readonly [from: number, to: number];

/** How much of one function was executed by a run without exceptions. */
export interface FunctionCoverage {
  readonly function: string;
  /** Instructions of the function. 0 when unknown: it was never run, or it has no symbol. */
  readonly instructions: number;
  /** How many of {@link instructions} were executed. */
  readonly executed: number;
  /** `executed` as a percentage of `instructions`, 0 to 100, rounded to two decimals. */
  readonly percent: number;
  readonly executedRanges: readonly OffsetRange[];
  readonly unexecutedRanges: readonly OffsetRange[];
}

/** The coverage of a function that was never run. */
export function noCoverage(name: string): FunctionCoverage {
  return {
    function: name,
    instructions: 0,
    executed: 0,
    percent: 0,
    executedRanges: [],
    unexecutedRanges: [],
  };
}

/** What a word of a function is. */
const Word = { DATA: 0, INSTRUCTION: 1, EXECUTED: 2 } as const;

/** Records which instructions of one function are executed. */
export class CoverageRecorder {
  private readonly words: Uint8Array;

  /** @param entry the function's first instruction */
  constructor(
    machine: Machine,
    private readonly entry: Address,
    private readonly name: string,
  ) {
    const place = machine.symbols.at(entry);
    const size = place === undefined ? 0 : place.symbol.size - place.offset;
    this.words = new Uint8Array(size >>> 2);
    markInstructions(machine, entry, this.words);
  }

  /** An instruction was executed, in this function or elsewhere. */
  executed(pc: Address): void {
    const index = (pc - this.entry) / 4;
    if (index >= 0 && index < this.words.length) this.words[index] = Word.EXECUTED;
  }

  /** The coverage so far. */
  report(): FunctionCoverage {
    const { words, name } = this;
    const executed = words.reduce((sum, word) => sum + Number(word === Word.EXECUTED), 0);
    const instructions = words.reduce((sum, word) => sum + Number(word !== Word.DATA), 0);
    return {
      function: name,
      instructions,
      executed,
      percent: instructions === 0 ? 0 : Math.round((10_000 * executed) / instructions) / 100,
      executedRanges: rangesOf(words, Word.EXECUTED),
      unexecutedRanges: rangesOf(words, Word.INSTRUCTION),
    };
  }
}

function markInstructions(machine: Machine, entry: Address, words: Uint8Array): void {
  const isData = dataWords(machine, entry, words.length);
  // Control does not fall through from the word before.
  let dead = false;
  for (let i = 0; i < words.length; i++) {
    const word = machine.loadedWord(entry + 4 * i);
    if (word === undefined || isData[i] === 1) continue;
    const isPadding = dead && (word >>> 0 === NOP || word === 0);
    if (isPadding) continue;
    words[i] = Word.INSTRUCTION;
    dead = ENDS.includes(flowOf(word));
  }
}

/** Control does not fall through these: the word after one is reached by a branch, or never. */
const ENDS: readonly number[] = [
  Flow.JUMP,
  Flow.JUMP_REGISTER,
  Flow.RETURN,
  Flow.RETURN_AUTH,
  Flow.EXCEPTION_RETURN,
];

/** 1 for each word that mapping symbols mark as data. A function begins with code. */
function dataWords(machine: Machine, entry: Address, count: number): Uint8Array {
  const end = entry + 4 * count;
  const marks = [machine.kernel.elf, ...machine.images]
    .flatMap(({ symbols }) =>
      symbols.filter(
        ({ address, size, name }) =>
          address > entry && address < end && size === 0 && mappingOf(name) !== undefined,
      ),
    )
    .sort((a, b) => a.address - b.address);
  const isData = new Uint8Array(count);
  for (const { address, name } of marks) {
    isData.fill(Number(mappingOf(name) === 'data'), Math.ceil((address - entry) / 4));
  }
  return isData;
}

function rangesOf(words: Uint8Array, wanted: number): OffsetRange[] {
  const ranges: OffsetRange[] = [];
  for (let i = 0; i < words.length; i++) {
    if (words[i] !== wanted) continue;
    const from = i;
    while (words[i + 1] === wanted) i++;
    ranges.push([4 * from, 4 * (i + 1)]);
  }
  return ranges;
}
