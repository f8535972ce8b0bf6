/** Which executable text has no SFrame row, and why. */

import { NOP } from '../aarch64/encodings.js';
import { formatAddress } from '../base/address.js';
import type { ElfFile } from '../elf/file.js';
import type { ElfSection } from '../elf/sections.js';
import type { DwarfTable, FileTables } from './read-tables.js';
import { functionRules } from '../unwinder/sframe/function-rules.js';
import { alternativeRanges } from './alternatives.js';
import { callCounts } from './call-counts.js';
import {
  mergeRanges,
  firstEndingAfter,
  splitBy,
  type Range,
  TextMap,
  type TextPiece,
  textSections,
  uncovered,
} from './text-map.js';

/**
 * Why bytes have no row, as far as the file shows it:
 * - `function`: inside an STT_FUNC symbol: assembly without CFI, or compiled without --gsframe;
 * - `no-fde`: inside a symbol whose start `.eh_frame` or `.debug_frame` describes: there is CFI, but
 *   the assembler made no FDE of it, because SFrame cannot express it or --gsframe was not given;
 * - `code`: inside a symbol of no type, which only assembly has (SYM_CODE in the kernel);
 * - `before-first-row`: inside a function of the table, before its first row;
 * - `vectors`: a symbol of that name on a 2 KiB boundary, as VBAR_ELx requires;
 * - `veneer`: a symbol that a linker makes (`__NAME_veneer`, `__AArch64...Veneer_...`);
 * - `plt`: section .plt, .plt.got or .iplt, or .init.plt or .text.ftrace_trampoline of a module;
 * - `data`: a $d mapping symbol, or a symbol of type STT_OBJECT;
 * - `padding`: NOPs or zero words outside of sized symbols;
 * - `alternative`: a replacement of `.altinstructions`, which is copied elsewhere before it runs;
 * - `unnamed`: code without any symbol.
 */
export type GapReason =
  | 'function'
  | 'code'
  | 'no-fde'
  | 'before-first-row'
  | 'vectors'
  | 'veneer'
  | 'plt'
  | 'data'
  | 'padding'
  | 'alternative'
  | 'unnamed';

/** A symbol without rows, or a range without symbol and rows. */
export interface CoverageGap {
  /** The symbol's name; else the address, or section and offset in an object. */
  readonly name: string;
  readonly section: string;
  readonly reason: GapReason;
  /** Address of the first byte without a row, and the number of such bytes. */
  readonly address: number;
  readonly bytes: number;
  readonly global: boolean;
  /** Direct branches to the symbol's start. */
  readonly callers: number;
  /** .eh_frame or .debug_frame describes its start, so CFI was written for it. */
  readonly hasDwarf: boolean;
}

/** Coverage of one executable section, in bytes. */
export interface SectionCoverage {
  readonly name: string;
  readonly bytes: number;
  readonly covered: number;
}

/** Coverage of a file. Bytes are those of executable sections. */
export interface Coverage {
  readonly file: string;
  readonly hasSFrame: boolean;
  readonly bytes: number;
  readonly covered: number;
  readonly sections: readonly SectionCoverage[];
  readonly reasons: readonly {
    readonly reason: GapReason;
    readonly bytes: number;
    places: number;
  }[];
  /** Addresses at which a sized STT_FUNC symbol starts, and how many of them have a row. */
  readonly functions: number;
  readonly functionsCovered: number;
  /** By reason, then in the order in which to annotate: called, global and large ones first. */
  readonly gaps: readonly CoverageGap[];
}

/** The order of reasons in a report. What can be annotated comes first. */
const GAP_REASONS: readonly GapReason[] = [
  'function',
  'code',
  'no-fde',
  'before-first-row',
  'vectors',
  'unnamed',
  'veneer',
  'plt',
  'alternative',
  'data',
  'padding',
];

/** The coverage of a file. */
export function coverage({ elf, sframe }: FileTables, dwarf: readonly DwarfTable[]): Coverage {
  const sections = textSections(elf);
  const functions: Range[] = [];
  const rows: Range[] = [];
  for (const { section } of sframe) {
    for (let f = 0; f < section.functions.count; f++) {
      const { start, size, rules, repeat } = functionRules(section, f);
      if (size === 0) continue;
      functions.push({ from: start, to: start + size });
      const first = rules[0];
      if (first === undefined) continue;
      // Repeated blocks count from their start: few bytes of each come before its first row.
      rows.push({ from: start + (repeat === 0 ? first.offset : 0), to: start + size });
    }
  }
  const covered = mergeRanges(rows);
  const inTable = mergeRanges(functions);
  const alternatives = alternativeRanges(elf);
  const map = new TextMap(elf, sections);
  const gaps = new Map<string, MutableGap>();
  const perSection: SectionCoverage[] = [];
  for (const section of sections) {
    let missing = 0;
    for (const gap of uncovered(section, covered)) {
      missing += gap.to - gap.from;
      for (const range of splitBy(gap, alternatives)) {
        for (const piece of map.pieces(section, range)) {
          const parts = range.inside
            ? [{ ...piece, isPadding: false, isAlternative: true }]
            : withoutPadding(piece);
          for (const part of parts) addGap(gaps, elf, part, inTable);
        }
      }
    }
    const bytes = section.data.length;
    perSection.push({ name: section.name, bytes, covered: bytes - missing });
  }
  return {
    file: elf.path,
    hasSFrame: sframe.length > 0,
    bytes: sum(perSection, ({ bytes }) => bytes),
    covered: sum(perSection, (one) => one.covered),
    sections: perSection,
    ...functionCount(elf, covered),
    ...grouped(elf, sections, [...gaps.values()], dwarf, sframe.length > 0),
  };
}

interface MutableGap {
  name: string;
  section: string;
  reason: GapReason;
  address: number;
  bytes: number;
  global: boolean;
  /** Where the symbol starts. */
  start: number;
}

interface Part extends TextPiece {
  readonly isPadding: boolean;
  readonly isAlternative: boolean;
}

/** Splits trailing NOPs and zero words off a piece that is in no sized symbol. */
function withoutPadding(piece: TextPiece): Part[] {
  if (piece.symbol !== undefined && piece.symbol.size > 0) {
    return [{ ...piece, isPadding: false, isAlternative: false }];
  }
  const { data, address } = piece.section;
  let end = piece.to - address;
  const start = piece.from - address;
  // Zero bytes up to a word boundary, then whole words.
  while (end > start && (end & 3) !== 0 && data[end - 1] === 0) end--;
  while (end - 4 >= start && isFiller(data, end - 4)) end -= 4;
  while (end > start && end - start < 4 && data[end - 1] === 0) end--;
  const cut = address + end;
  const parts: Part[] = [];
  if (cut > piece.from) parts.push({ ...piece, to: cut, isPadding: false, isAlternative: false });
  if (cut < piece.to) parts.push({ ...piece, from: cut, isPadding: true, isAlternative: false });
  return parts;
}

function isFiller(data: Uint8Array, at: number): boolean {
  const word =
    ((data[at] ?? 0) |
      ((data[at + 1] ?? 0) << 8) |
      ((data[at + 2] ?? 0) << 16) |
      ((data[at + 3] ?? 0) << 24)) >>>
    0;
  return word === 0 || word === NOP;
}

function addGap(
  gaps: Map<string, MutableGap>,
  elf: ElfFile,
  part: Part,
  inTable: readonly Range[],
): void {
  const reason = reasonOf(part, inTable);
  const { symbol, section, from } = part;
  const bytes = part.to - from;
  const owner = part.isPadding || part.isAlternative ? undefined : symbol;
  const key =
    owner === undefined ? `${reason} ${from}` : `${reason} ${owner.name} ${owner.address}`;
  const known = gaps.get(key);
  if (known !== undefined) {
    known.bytes += bytes;
    return;
  }
  gaps.set(key, {
    name: owner?.name ?? nameless(elf, section, from),
    section: section.name,
    reason,
    address: from,
    bytes,
    global: owner?.global ?? false,
    start: owner?.address ?? from,
  });
}

function nameless({ type }: ElfFile, { name, address }: ElfSection, from: number): string {
  return type === 'rel' ? `${name}+0x${(from - address).toString(16)}` : formatAddress(from);
}

function reasonOf(part: Part, inTable: readonly Range[]): GapReason {
  const { symbol, section } = part;
  if (/^\.(i?plt|text\.ftrace_trampoline|init\.plt)(\.|$)/.test(section.name)) return 'plt';
  if (part.isAlternative) return 'alternative';
  if (part.isPadding) return 'padding';
  const name = symbol?.name ?? '';
  if (/^__.*_veneer$|^__AArch64\w*Veneer_|^__\w+Thunk_/.test(name)) return 'veneer';
  if (/(^|_)vectors?(_|$)/.test(name) && symbol !== undefined && symbol.address % 0x800 === 0) {
    return 'vectors';
  }
  if (part.isData || symbol?.kind === 'object') return 'data';
  if (contains(inTable, part.from)) return 'before-first-row';
  if (symbol === undefined) return 'unnamed';
  return symbol.kind === 'function' ? 'function' : 'code';
}

function contains(ranges: readonly Range[], address: number): boolean {
  return (ranges[firstEndingAfter(ranges, address)]?.from ?? Infinity) <= address;
}

function functionCount(elf: ElfFile, covered: readonly Range[]) {
  const starts = new Set<number>();
  for (const { kind, size, address, section } of elf.symbols) {
    if (kind === 'function' && size > 0 && elf.sections[section]?.executable === true) {
      starts.add(address);
    }
  }
  let functionsCovered = 0;
  for (const start of starts) if (contains(covered, start)) functionsCovered++;
  return { functions: starts.size, functionsCovered };
}

function grouped(
  elf: ElfFile,
  sections: readonly ElfSection[],
  gaps: readonly MutableGap[],
  dwarf: readonly DwarfTable[],
  hasSFrame: boolean,
) {
  const starts = new Set(gaps.map(({ start }) => start));
  const calls = callCounts(elf, sections, starts);
  const described = mergeRanges(
    dwarf.flatMap(({ functions }) =>
      functions.map(({ start, size }) => ({ from: start, to: start + size })),
    ),
  );
  const all = gaps.map(({ start, ...gap }): CoverageGap => {
    const hasDwarf = contains(described, start);
    const isDropped = hasSFrame && hasDwarf && (gap.reason === 'function' || gap.reason === 'code');
    const reason = isDropped ? 'no-fde' : gap.reason;
    return { ...gap, reason, callers: calls.get(start) ?? 0, hasDwarf };
  });
  all.sort(byUrgency);
  const reasons = GAP_REASONS.map((reason) => {
    const own = all.filter((gap) => gap.reason === reason);
    return { reason, bytes: sum(own, ({ bytes }) => bytes), places: own.length };
  }).filter(({ places }) => places > 0);
  return { reasons, gaps: all };
}

function byUrgency(a: CoverageGap, b: CoverageGap): number {
  return (
    GAP_REASONS.indexOf(a.reason) - GAP_REASONS.indexOf(b.reason) ||
    Number(b.callers > 0) - Number(a.callers > 0) ||
    Number(b.global) - Number(a.global) ||
    b.bytes - a.bytes ||
    a.address - b.address
  );
}

function sum<T>(items: readonly T[], size: (item: T) => number): number {
  return items.reduce((total, item) => total + size(item), 0);
}
