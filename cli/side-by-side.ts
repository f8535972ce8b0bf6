/** Truth and trace in two columns, equal entries on one line. */
import { clip, type Style } from './style.js';

/** One line: an entry of either or of both. */
export interface Pair {
  readonly truth: string | undefined;
  readonly trace: string | undefined;
}

/** Entries of trampolines are in parentheses: a trace may list them or not. */
function bare(entry: string): string {
  return entry.replace(/^\((.*)\)$/, '$1');
}

/** Pair the entries of a longest common subsequence, innermost first. */
export function align(truth: readonly string[], trace: readonly string[]): Pair[] {
  const columns = trace.length + 1;
  const common = new Uint16Array((truth.length + 1) * columns);
  const equal = (i: number, j: number): boolean => bare(truth[i] ?? '') === bare(trace[j] ?? '');
  const at = (i: number, j: number): number => common[i * columns + j] ?? 0;
  for (let i = truth.length - 1; i >= 0; i--) {
    for (let j = trace.length - 1; j >= 0; j--) {
      common[i * columns + j] = equal(i, j)
        ? at(i + 1, j + 1) + 1
        : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const pairs: Pair[] = [];
  let i = 0;
  let j = 0;
  while (i < truth.length || j < trace.length) {
    if (i < truth.length && j < trace.length && equal(i, j)) {
      pairs.push({ truth: truth[i++], trace: trace[j++] });
    } else if (i < truth.length && (j >= trace.length || at(i + 1, j) >= at(i, j + 1))) {
      pairs.push({ truth: truth[i++], trace: undefined });
    } else {
      pairs.push({ truth: undefined, trace: trace[j++] });
    }
  }
  return pairs;
}

/**
 * The lines, without indentation.
 * @param width characters for a line
 * @param claimed the trace was called reliable: differences are marked
 */
export function sideBySide(
  truth: readonly string[],
  trace: readonly string[],
  claimed: boolean,
  width: number,
  { colors }: Style,
  [heading, otherHeading]: readonly [string, string] = ['truth', 'trace'],
): string[] {
  const half = Math.floor((width - 3) / 2);
  const longest = truth.reduce((most, { length }) => Math.max(most, length), heading.length);
  const left = Math.min(half, longest);
  const cell = (text: string): string => clip(text, left).padEnd(left);
  const lines = [`${colors.dim(cell(heading))}   ${colors.dim(otherHeading)}`];
  for (const pair of align(truth, trace)) {
    if (pair.truth === undefined) {
      const entry = clip(pair.trace ?? '', half - 2);
      const wrong = claimed && entry === bare(entry);
      lines.push(`${cell('')}   ${wrong ? colors.red(`+ ${entry}`) : entry}`);
    } else if (pair.trace === undefined) {
      const wrong = claimed && pair.truth === bare(pair.truth);
      lines.push(`${cell(pair.truth)}   ${wrong ? colors.red('- absent') : ''}`.trimEnd());
    } else {
      lines.push(`${cell(pair.truth)}   ${clip(pair.trace, half)}`);
    }
  }
  return lines;
}
