/** Shows truth and trace in two columns, with equal entries on one line. */
import { clip } from '../base/fit.js';
import { alignEntries } from '../lab/trace-alignment.js';
import { type Style } from './style.js';

/** One line: an entry of the truth, of the trace, or of both. */
export interface Pair {
  readonly truth: string | undefined;
  readonly trace: string | undefined;
}

/** Characters in front of an entry that is superfluous or absent. */
const MARK = 2;

/** An entry without the parentheses that mark a trampoline, which a trace may list or skip. */
function bare(entry: string): string {
  return entry.replace(/^\((.*)\)$/, '$1');
}

/** Pair the entries of a longest common subsequence, innermost first. */
export function align(truth: readonly string[], trace: readonly string[]): Pair[] {
  const pairs = alignEntries(truth, trace, (a, b) => bare(a) === bare(b));
  return pairs.map((pair) => ({ truth: truth[pair.truth], trace: trace[pair.trace] }));
}

/**
 * The lines, without indentation. If one entry is too long, function sizes are left out of all.
 * @param width characters in a line
 * @param claimed whether the trace was called reliable, so that differences are marked
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
  const fits = [...truth, ...trace].every(({ length }) => length <= half - MARK);
  const shown = (entry: string): string => (fits ? entry : entry.replace(/\/0x[0-9a-f]+/, ''));
  const longest = truth.reduce(
    (most, entry) => Math.max(most, shown(entry).length),
    heading.length,
  );
  const left = Math.min(half, longest);
  const cell = (text: string): string => clip(text, left).padEnd(left);
  const lines = [`${colors.dim(cell(heading))}   ${colors.dim(otherHeading)}`];
  for (const aligned of align(truth, trace)) {
    const pair = {
      truth: aligned.truth === undefined ? undefined : shown(aligned.truth),
      trace: aligned.trace === undefined ? undefined : shown(aligned.trace),
    };
    if (pair.truth === undefined) {
      const entry = clip(pair.trace ?? '', half - MARK);
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
