/** Small programs for tests of the verifier: code, rows and symbols as they are given. */
import { parseElf } from '../../elf/image.js';
import { describeElfError } from '../../elf/error.js';
import { type Program, programOf } from '../../verify/program.js';
import { type A64Text, assemble } from '../assembled.js';
import {
  buildElf,
  type BuilderSection,
  type BuilderSegment,
  type BuilderSymbol,
  words,
} from '../elf/elf-builder.js';
import { encodeSFrame, type FunctionSpec, type RowSpec } from '../unwinder/sframe-encoder.js';

/** Where the code begins. */
export const TEXT = 0x10000;
const TABLE = 0x20000;

/** One function; functions follow each other without a gap. */
export interface SmallFunction {
  readonly name: string;
  readonly code: readonly (A64Text | number)[];
  /** Its rows; undefined for a function without an FDE. */
  readonly rows?: readonly RowSpec[];
  /** Where its FDE differs from its code. */
  readonly fde?: Partial<Pick<FunctionSpec, 'start' | 'size' | 'keyB' | 'startSize'>>;
}

/** A program, and what else is in it. */
export interface SmallProgram {
  readonly functions: readonly SmallFunction[];
  /** `sfp_flags`. */
  readonly flags?: number;
  readonly segments?: readonly BuilderSegment[];
  readonly sections?: readonly BuilderSection[];
}

/** The rules that rows of compilers have. */
export const ROW = {
  entry: (start: number): RowSpec => ({ start, words: [0] }),
  signed: (start: number): RowSpec => ({ start, mangled: true, words: [0] }),
  /** After `stp x29, x30, [sp, #-0x10]!`. */
  pushed: (start: number): RowSpec => ({ start, words: [16, -8, -16] }),
};

/** A load segment of code at {@link TEXT}, its table, and a symbol for each function. */
export function smallProgram({
  functions,
  flags = 0,
  segments = [],
  sections = [],
}: SmallProgram): Program {
  const code: number[] = [];
  const symbols: BuilderSymbol[] = [];
  const table: FunctionSpec[] = [];
  for (const { name, code: its, rows, fde } of functions) {
    const start = TEXT + 4 * code.length;
    const size = 4 * its.length;
    code.push(...assemble(...its));
    symbols.push({ name, value: BigInt(start), size });
    if (rows !== undefined) table.push({ start, size, ...fde, rows: [...rows] });
  }
  const sframe = encodeSFrame({ version: 3, flags, address: TABLE, functions: table });
  const elf = buildElf({
    type: 3,
    segments: [
      { address: BigInt(TEXT), data: words(...code) },
      { address: BigInt(TABLE), data: sframe, flags: 4 },
      ...segments,
    ],
    sections: [
      { name: '.text', type: 1, flags: 6, address: BigInt(TEXT), data: words(...code) },
      { name: '.sframe', type: 0x6ffffff4, flags: 2, address: BigInt(TABLE), data: sframe },
      ...sections,
    ],
    symbols,
  });
  const image = parseElf('small.elf', elf);
  if (!image.ok) throw new Error(describeElfError(image.error));
  const program = programOf(image.value);
  if (!program.ok) throw new Error(program.error);
  return program.value;
}
