/** What verification finds, as plain values that workers can send and reports can print. */
import type { Address } from '../base/address.js';
import type { NoteKind, WrongKind } from './function-trace.js';
import type { StaticKind } from './table-checks.js';

/** How a row, or a function's entry in the table, is wrong. */
export type FindingKind = WrongKind | StaticKind;

/** One mistake in a table. */
export interface Finding {
  readonly kind: FindingKind;
  readonly fn: string;
  /** Start of the function. */
  readonly start: Address;
  /** Row within the function, or -1. */
  readonly row: number;
  /** The first instruction at which it shows. */
  readonly pc: Address;
  /** The rule of the row, as text; empty without a row. */
  readonly rule: string;
  /** What is true there, or what is wrong with the table's entry. */
  readonly detail: string;
  /** The function has a single row, and it is that of a leaf routine. */
  readonly leaf: boolean;
  /** The instruction words up to `pc`. Functions made from one macro have equal ones. */
  readonly words: readonly number[];
}

/** Something that is not a mistake in the table but that an unwinder may stumble over. */
export interface Note {
  readonly kind: NoteKind;
  readonly fn: string;
  readonly start: Address;
  readonly pc: Address;
  /** One sentence. */
  readonly detail: string;
  /** Of an unknown instruction. */
  readonly word?: number;
}

/** Why instructions, or a row, were not reached. */
export type UnreachedReason =
  | 'padding'
  | 'after-noreturn'
  | 'indirect-jump'
  | 'step-limit'
  | 'part-not-entered'
  | 'no-path'
  | 'skipped';

/** Consecutive instructions that no path reached. */
export interface UnreachedRange {
  readonly fn: string;
  readonly start: Address;
  /** Bytes. */
  readonly size: number;
  readonly reason: UnreachedReason;
}

/** A row that no path reached. */
export interface UnreachedRow {
  readonly fn: string;
  /** Row within the function. */
  readonly row: number;
  /** Where it begins. */
  readonly pc: Address;
  /** `covers-nothing`: the row is in force at no instruction. */
  readonly reason: UnreachedReason | 'covers-nothing';
}

/** A function that was not executed. */
export interface SkippedFunction {
  readonly fn: string;
  readonly start: Address;
  readonly reason: string;
}

/** Numbers of functions, instructions and rows. */
export interface Counts {
  functions: number;
  functionsWrong: number;
  instructions: number;
  reached: number;
  rows: number;
  rowsWrong: number;
  rowsUnreached: number;
  /** Instructions at which DWARF was judged as well as SFrame. */
  compared: number;
  /** Executed instructions that the engine does not know. Their results were treated as unknown. */
  refused: number;
}

/** The result for one group of functions. */
export interface GroupResult {
  readonly counts: Counts;
  readonly findings: readonly Finding[];
  readonly notes: readonly Note[];
  readonly unreached: readonly UnreachedRange[];
  readonly unreachedRows: readonly UnreachedRow[];
  readonly skipped: readonly SkippedFunction[];
}

/** Counts that are all 0. */
export function noCounts(): Counts {
  return {
    functions: 0,
    functionsWrong: 0,
    instructions: 0,
    reached: 0,
    rows: 0,
    rowsWrong: 0,
    rowsUnreached: 0,
    compared: 0,
    refused: 0,
  };
}

/** Add `more` to `sum`. */
export function addCounts(sum: Counts, more: Counts): void {
  for (const key of Object.keys(sum) as (keyof Counts)[]) sum[key] += more[key];
}
