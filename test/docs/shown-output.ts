/** Whether a command printed what a document shows. */

/** Times, rates, and what else differs from one machine, and one run, to the next. */
const VARYING =
  /, (?:[\d.]+ m?s|(?:[\d,]+ m )?[\d,.]+ s|[\d,]+ points\/s|\d+ workers?(?: of up to [\d,.]+ [KMG]?B)?)(?=[,:]|$)/g;

/** Lines as they are compared. */
function linesOf(text: string): string[] {
  const lines = text.split('\n').map((line) => line.trimEnd().replace(VARYING, ''));
  while (lines.at(-1) === '') lines.pop();
  return lines;
}

/** Where the run of lines is in the text, from a line on; -1 where it is not. */
function indexOf(text: readonly string[], run: readonly string[], from: number): number {
  for (let at = from; at + run.length <= text.length; at++) {
    if (run.every((line, i) => text[at + i] === line)) return at;
  }
  return -1;
}

/**
 * What of the output shown was not printed.
 * @param shown a line `...` stands for any number of lines, none included
 * @returns undefined where all of it was, else its first line that was not, or that is out of place
 */
export function notPrinted(shown: string, printed: string): string | undefined {
  const actual = linesOf(printed);
  const runs: string[][] = [[]];
  for (const line of linesOf(shown)) {
    if (line.trim() === '...') runs.push([]);
    else runs.at(-1)?.push(line);
  }
  let at = 0;
  for (const [i, run] of runs.entries()) {
    const isLast = i === runs.length - 1;
    // The first run is at the beginning, and the last at the end.
    const from = isLast && i > 0 && run.length > 0 ? Math.max(at, actual.length - run.length) : at;
    const found = indexOf(actual, run, from);
    if (found < 0 || (i === 0 && found > 0)) {
      const missing = run.find((line, k) => actual[from + k] !== line && !actual.includes(line));
      return missing ?? run[0];
    }
    at = found + run.length;
    if (isLast && run.length > 0 && at < actual.length) return actual[at];
  }
  return undefined;
}
