/** Cuts executable text into pieces by symbol, and into code and data. */

import { mappingOf } from '../elf/symbol-names.js';
import type { ElfFile } from '../elf/file.js';
import type { ElfSection } from '../elf/sections.js';
import type { ElfSymbol } from '../elf/symbols.js';
import { lastWithAtMost } from '../base/sorted.js';
import { isMapping } from './function-names.js';

/** A range of addresses; `to` is exclusive. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** A part of an executable section that has one symbol or none, and is code or data throughout. */
export interface TextPiece extends Range {
  readonly section: ElfSection;
  /** Undefined between symbols. A symbol without a size extends to the next one. */
  readonly symbol: ElfSymbol | undefined;
  /** Whether a `$d` mapping symbol marks these bytes as data. */
  readonly isData: boolean;
}

/** The executable sections with contents, by address. Of overlapping ones only the first counts. */
export function textSections(elf: ElfFile): ElfSection[] {
  const sorted = elf.sections
    .filter(({ executable, data }) => executable && data.length > 0)
    .sort((a, b) => a.address - b.address);
  let end = -Infinity;
  return sorted.filter(({ address, data }) => {
    if (address < end) return false;
    end = address + data.length;
    return true;
  });
}

/** Merges ranges. The result is sorted and disjoint, and no range in it is empty. */
export function mergeRanges(ranges: readonly Range[]): Range[] {
  const merged: Range[] = [];
  for (const range of [...ranges].sort((a, b) => a.from - b.from)) {
    if (range.to <= range.from) continue;
    const last = merged.at(-1);
    if (last !== undefined && range.from <= last.to) {
      merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, range.to) };
    } else {
      merged.push(range);
    }
  }
  return merged;
}

/** The parts of `section` outside of `covered`, which must be merged. */
export function uncovered(section: ElfSection, covered: readonly Range[]): Range[] {
  const end = section.address + section.data.length;
  const gaps: Range[] = [];
  let at = section.address;
  for (let k = firstEndingAfter(covered, at); k < covered.length; k++) {
    const range = covered[k] as Range;
    if (range.from >= end) break;
    if (range.from > at) gaps.push({ from: at, to: range.from });
    at = Math.max(at, range.to);
  }
  if (at < end) gaps.push({ from: at, to: end });
  return gaps;
}

/** Cuts `range` into the parts inside and outside of `others`, which must be merged. */
export function splitBy(
  range: Range,
  others: readonly Range[],
): (Range & { readonly inside: boolean })[] {
  const parts: (Range & { readonly inside: boolean })[] = [];
  let at = range.from;
  for (let k = firstEndingAfter(others, at); at < range.to; k++) {
    const next = others[k] ?? { from: range.to, to: range.to };
    const from = Math.min(Math.max(next.from, at), range.to);
    const to = Math.min(Math.max(next.to, at), range.to);
    if (from > at) parts.push({ from: at, to: from, inside: false });
    if (to > from) parts.push({ from, to, inside: true });
    at = to;
  }
  return parts;
}

/** Index of the first range that ends after `address`. @param ranges sorted and disjoint */
export function firstEndingAfter(ranges: readonly Range[], address: number): number {
  return lastWithAtMost(ranges, address, ({ to }) => to) + 1;
}

/** The pieces of a file's executable sections. */
export class TextMap {
  private readonly bySection = new Map<number, TextPiece[]>();

  constructor(elf: ElfFile, sections: readonly ElfSection[]) {
    const symbols = new Map<number, ElfSymbol[]>();
    for (const symbol of elf.symbols) {
      const list = symbols.get(symbol.section);
      if (list === undefined) symbols.set(symbol.section, [symbol]);
      else list.push(symbol);
    }
    for (const section of sections) {
      this.bySection.set(section.index, cut(section, symbols.get(section.index) ?? []));
    }
  }

  /** The pieces of a range, which must lie in `section`. */
  pieces(section: ElfSection, range: Range): TextPiece[] {
    const all = this.bySection.get(section.index) ?? [];
    const found: TextPiece[] = [];
    for (let k = firstEndingAfter(all, range.from); k < all.length; k++) {
      const piece = all[k] as TextPiece;
      if (piece.from >= range.to) break;
      const from = Math.max(piece.from, range.from);
      found.push({ ...piece, from, to: Math.min(piece.to, range.to) });
    }
    return found;
  }
}

function cut(section: ElfSection, symbols: readonly ElfSymbol[]): TextPiece[] {
  const low = section.address;
  const high = low + section.data.length;
  const inside = symbols.filter(({ address }) => address >= low && address < high);
  const marks = inside
    .filter(({ kind, name }) => kind === 'other' && mappingOf(name) !== undefined)
    .sort((a, b) => a.address - b.address);
  const named = inside
    .filter((symbol) => !isMapping(symbol))
    // At equal addresses the last one wins: sized before unsized, then functions, then global ones.
    .sort((a, b) => a.address - b.address || preference(a) - preference(b));

  const places = new Set<number>([low]);
  for (const { address } of marks) places.add(address);
  for (const { address, size } of named) {
    places.add(address);
    if (size > 0 && address + size < high) places.add(address + size);
  }
  const sorted = [...places].sort((a, b) => a - b);
  const pieces: TextPiece[] = [];
  const open: ElfSymbol[] = [];
  let label: ElfSymbol | undefined;
  let isData = false;
  let nextMark = 0;
  let nextName = 0;
  for (const [i, from] of sorted.entries()) {
    const to = sorted[i + 1] ?? high;
    for (
      ;
      marks[nextMark] !== undefined && (marks[nextMark] as ElfSymbol).address <= from;
      nextMark++
    ) {
      isData = mappingOf((marks[nextMark] as ElfSymbol).name) === 'data';
    }
    for (
      ;
      named[nextName] !== undefined && (named[nextName] as ElfSymbol).address <= from;
      nextName++
    ) {
      const symbol = named[nextName] as ElfSymbol;
      if (symbol.size > 0) {
        open.push(symbol);
        label = undefined;
      } else {
        label = symbol;
      }
    }
    for (
      let top = open.at(-1);
      top !== undefined && top.address + top.size <= from;
      top = open.at(-1)
    ) {
      open.pop();
      // A label inside a sized symbol ends with it.
      if (label !== undefined && label.address < from) label = undefined;
    }
    pieces.push({ from, to, section, symbol: open.at(-1) ?? label, isData });
  }
  return pieces;
}

function preference({ size, kind, global }: ElfSymbol): number {
  return Number(size > 0) * 4 + Number(kind === 'function') * 2 + Number(global);
}
