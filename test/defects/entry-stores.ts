/** The stores by which el1h entry code builds pt_regs, the built-in kernel's and a real one's alike. */
import { NOP } from '../../aarch64/encodings.js';
import type { CodePatch } from './code-patch.js';

/** One store. */
export interface EntryStore {
  /** What it stores. */
  readonly name: string;
  /** The only instruction of the entry code that matches. */
  readonly text: RegExp;
  /** What a sweep says first when the place that it stores to holds poison. */
  readonly red: string;
  /** What must be changed in its word so that it stores 16 bytes higher. */
  readonly higher: (word: number) => number;
}

/** An offset as the disassembler prints it. */
const place = (offset: number): string =>
  offset === 0 ? '\\[sp\\]$' : `\\[sp, #0x${offset.toString(16)}\\]$`;

/** STP of X registers has a signed imm7 in units of 8 bytes; STR an unsigned imm12 in units of its size. */
const pairHigher = (word: number): number => (word + (2 << 15)) >>> 0;
const oneHigher =
  (size: number) =>
  (word: number): number =>
    (word + ((16 / size) << 10)) >>> 0;

const saved = (register: string): string => `pt-regs-wrong: pt_regs has ${register} 0x5ae5a5`;
const recorded = (field: string): string => `pt-regs-wrong: the frame record has ${field} 0x5ae5a5`;

const GENERAL: readonly EntryStore[] = Array.from({ length: 15 }, (_, i) => 2 * i).map((n) => ({
  name: `x${n} and x${n + 1}`,
  text: new RegExp(`^stp x${n}, x${n + 1}, ${place(8 * n)}`),
  red: saved(`x${n}`),
  higher: pairHigher,
}));

/** In the order of the code, but for PMR, which only the built-in kernel stores. */
export const ENTRY_STORES: readonly EntryStore[] = [
  ...GENERAL,
  {
    name: 'LR and the aborted SP',
    text: /^stp x30, x21, \[sp, #0xf0\]$/,
    red: saved('x30'),
    higher: pairHigher,
  },
  {
    name: 'the zeros of the record',
    text: /^stp xzr, xzr, \[sp, #0x128\]$/,
    red: recorded('fp'),
    higher: pairHigher,
  },
  {
    name: 'the type of the record',
    text: /^str x0, \[sp, #0x138\]$/,
    red: recorded('type'),
    higher: oneHigher(8),
  },
  {
    name: 'PC and PSTATE',
    text: /^stp x22, x23, \[sp, #0x100\]$/,
    red: saved('pc'),
    higher: pairHigher,
  },
];

export const PMR_STORE: EntryStore = {
  name: 'the priority mask',
  text: /^str w20, \[sp, #0x11c\]$/,
  red: 'pt-regs-wrong: pt_regs has pmr 0x',
  higher: oneHigher(4),
};

/** The ways to get one store wrong. */
export const STORE_DEFECTS: readonly {
  readonly name: string;
  readonly plant: (code: CodePatch, store: EntryStore) => void;
}[] = [
  {
    name: 'left out',
    plant: (code, { text }) => {
      code.words[code.find(text)] = NOP;
    },
  },
  {
    name: '16 bytes too high',
    plant: (code, { text, higher }) => {
      const at = code.find(text);
      code.words[at] = higher(code.words[at] as number);
    },
  },
];
