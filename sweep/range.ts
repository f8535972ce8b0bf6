/**
 * Ranges of points: how a scenario is cut into them, and how a range that killed its worker is
 * split.
 */
import { formatPoint, type Point } from '../lab/point.js';
import type { SweepRange } from './scenario-sweep.js';

/** Dynamic instructions in a unit of depth 1. */
const UNIT_INSTRUCTIONS = 1024;
/** Dynamic instructions in a unit of depth 2. */
const UNIT_INSTRUCTIONS_DEPTH_2 = 8;

/** An instruction count that no range reaches. */
export const NO_LIMIT = 0x7fffffff;

/**
 * A run to the scenario's end without exceptions. It measures how long the scenario is and what it
 * returns.
 */
export function measuringRange(budget: number): SweepRange {
  return {
    from: 0,
    to: NO_LIMIT,
    kinds: 0,
    outerKinds: 0,
    innerKinds: 0,
    innerFrom: 0,
    innerTo: NO_LIMIT,
    budget,
  };
}

/** Whether a range takes no exception: {@link measuringRange}. */
export function isMeasuring({ kinds, outerKinds }: SweepRange): boolean {
  return kinds === 0 && outerKinds === 0;
}

/** Cut a scenario of `instructions` dynamic instructions into ranges. */
export function cutRanges(
  instructions: number,
  depth: 1 | 2,
  kinds: number,
  budget: number,
): SweepRange[] {
  const ranges: SweepRange[] = [];
  const add = (from: number, to: number, first: number, outer: number): void => {
    ranges.push({
      from,
      to: Math.min(to, instructions),
      kinds: first,
      outerKinds: outer,
      innerKinds: outer === 0 ? 0 : kinds,
      innerFrom: 0,
      innerTo: NO_LIMIT,
      budget,
    });
  };
  for (let from = 0; from < instructions; from += UNIT_INSTRUCTIONS) {
    add(from, from + UNIT_INSTRUCTIONS, kinds, 0);
  }
  if (depth === 2) {
    for (let from = 0; from < instructions; from += UNIT_INSTRUCTIONS_DEPTH_2) {
      add(from, from + UNIT_INSTRUCTIONS_DEPTH_2, 0, kinds);
    }
  }
  return ranges;
}

/** Instructions of entry, handler and exit code that a progress estimate assumes. */
const ESTIMATED_INNER = 400;

/** How much work a range is, roughly, in stops. For the progress display. */
export function rangeWork(range: SweepRange): number {
  const inner = Math.min(ESTIMATED_INNER, range.innerTo - range.innerFrom);
  const inside = bits(range.outerKinds).length * inner;
  return Math.max(1, range.to - range.from) * (1 + inside);
}

/** Inner instructions to search when a unit of depth 2 has killed its worker. */
const MAX_INNER = 1 << 14;

/**
 * Split a range, to find the point that kills a worker. The parts together are the range; a single
 * point has none.
 */
export function splitRange(range: SweepRange): SweepRange[] {
  const { from, to, kinds, outerKinds, innerKinds } = range;
  if (to - from > 1) {
    const middle = (from + to) >> 1;
    return [
      { ...range, to: middle },
      { ...range, from: middle },
    ];
  }
  if (kinds !== 0 && outerKinds !== 0) {
    return [
      { ...range, outerKinds: 0 },
      { ...range, kinds: 0 },
    ];
  }
  if (kinds !== 0) return bits(kinds).map((bit) => ({ ...range, kinds: bit }));
  const outer = bits(outerKinds);
  if (outer.length > 1) return outer.map((bit) => ({ ...range, outerKinds: bit }));
  const innerTo = Math.min(range.innerTo, MAX_INNER);
  if (innerTo - range.innerFrom > 1) {
    const middle = (range.innerFrom + innerTo) >> 1;
    return [
      { ...range, innerTo: middle },
      { ...range, innerFrom: middle, innerTo },
    ];
  }
  return bits(innerKinds).map((bit) => ({ ...range, innerKinds: bit }));
}

/** Compares two parts of a range by the order in which {@link splitRange} returns them. */
export function compareRanges(a: SweepRange, b: SweepRange): number {
  return (
    a.from - b.from ||
    Number(b.kinds !== 0) - Number(a.kinds !== 0) ||
    a.kinds - b.kinds ||
    a.outerKinds - b.outerKinds ||
    a.innerFrom - b.innerFrom ||
    a.innerKinds - b.innerKinds
  );
}

/** Whether a range is one point. */
export function isSinglePoint(range: SweepRange): boolean {
  if (range.to - range.from > 1) return false;
  if (range.outerKinds === 0) return bits(range.kinds).length <= 1;
  return (
    range.kinds === 0 &&
    bits(range.outerKinds).length === 1 &&
    range.innerTo - range.innerFrom <= 1 &&
    bits(range.innerKinds).length <= 1
  );
}

/** The range that holds just one point. */
export function pointRange(point: Point, budget: number): SweepRange {
  const { index, kind, inner } = point;
  return {
    from: index,
    to: index + 1,
    kinds: inner === undefined ? 1 << kind : 0,
    outerKinds: inner === undefined ? 0 : 1 << kind,
    innerKinds: inner === undefined ? 0 : 1 << inner.kind,
    innerFrom: inner?.index ?? 0,
    innerTo: inner === undefined ? NO_LIMIT : inner.index + 1,
    budget,
  };
}

/** The name of the only point in a range. */
export function singlePoint(range: SweepRange): string {
  const kindOf = (set: number): number => 31 - Math.clz32(set);
  const { from: index, kinds, outerKinds, innerKinds, innerFrom } = range;
  return formatPoint(
    outerKinds === 0
      ? { index, kind: kindOf(kinds) }
      : { index, kind: kindOf(outerKinds), inner: { index: innerFrom, kind: kindOf(innerKinds) } },
  );
}

function bits(set: number): number[] {
  const found: number[] = [];
  for (let bit = 1; bit <= set; bit <<= 1) if ((set & bit) !== 0) found.push(bit);
  return found;
}
