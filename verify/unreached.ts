/** Which instructions and rows of a function no path reached, and why. */
import { NOP } from '../aarch64/encodings.js';
import type { Address } from '../base/address.js';
import type { DataStepper } from './data-step.js';
import type { UnreachedRange, UnreachedReason, UnreachedRow } from './finding.js';
import type { FunctionTrace } from './function-trace.js';

/** The instructions that no path reached, as ranges. */
export function unreachedRanges(trace: FunctionTrace, stepper: DataStepper): UnreachedRange[] {
  const { entry, reached } = trace;
  const ranges: UnreachedRange[] = [];
  for (let i = 0; i < reached.length;) {
    if (reached[i] === 1) {
      i++;
      continue;
    }
    const from = i;
    let padding = true;
    while (i < reached.length && reached[i] === 0) {
      const word = stepper.fetch(entry.start + 4 * i);
      padding &&= word === NOP || word === 0;
      i++;
    }
    const start = entry.start + 4 * from;
    const size = 4 * (i - from);
    ranges.push({ fn: entry.name, start, size, reason: reasonFor(trace, start, padding) });
  }
  return ranges;
}

/** Rows that no path reached. @param wrong rows to leave out, because they are findings already */
export function unreachedRows(
  trace: FunctionTrace,
  ranges: readonly UnreachedRange[],
  wrong: ReadonlySet<number>,
): UnreachedRow[] {
  const { table, fde, start, name } = trace.entry;
  const first = table.functions.firstRow[fde] as number;
  const rows: UnreachedRow[] = [];
  for (const [row, seen] of trace.rowSeen.entries()) {
    if (seen === 1 || wrong.has(row)) continue;
    const pc = start + (table.rows.start[first + row] as number);
    const range = ranges.find(({ start: low, size }) => pc >= low && pc < low + size);
    const covers = trace.rowAt.includes(row);
    const reason = !covers ? 'covers-nothing' : (range?.reason ?? 'no-path');
    rows.push({ fn: name, row, pc, reason });
  }
  return rows;
}

function reasonFor(trace: FunctionTrace, start: Address, padding: boolean): UnreachedReason {
  if (trace.limited) return 'step-limit';
  if (padding) return 'padding';
  if (trace.noreturnAt.has(start - 4)) return 'after-noreturn';
  if (trace.unfollowed.length > 0) return 'indirect-jump';
  return trace.entry.part && trace.reached.every((flag) => flag === 0)
    ? 'part-not-entered'
    : 'no-path';
}
