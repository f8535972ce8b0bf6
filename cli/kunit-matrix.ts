/** Shows cases by policies as a table. */
import type { MatrixCell, MatrixRow } from '../kunit/matrix.js';
import type { Style } from './style.js';

/** The lines of the table. @param runs names of the columns */
export function* matrixLines(
  rows: readonly MatrixRow[],
  runs: readonly { readonly policy: string }[],
  { colors }: Style,
): Generator<string> {
  const first = Math.max(4, ...rows.map(({ caseName }) => caseName.length));
  const widths = runs.map(({ policy }, i) =>
    Math.max(policy.length, ...rows.map(({ cells }) => cellText(cells[i]).length)),
  );
  const heads = runs.map(({ policy }, i) => policy.padEnd(widths[i] ?? 0));
  yield colors.bold(['case'.padEnd(first), ...heads].join('  ').trimEnd());
  for (const { caseName, cells } of rows) {
    const texts = runs.map((_, i) => {
      const text = cellText(cells[i]).padEnd(widths[i] ?? 0);
      return cells[i]?.ok === false ? colors.red(text) : text;
    });
    yield [caseName.padEnd(first), ...texts].join('  ').trimEnd();
  }
}

function cellText(cell: MatrixCell | undefined): string {
  if (cell === undefined) return '';
  return cell.ok ? cell.text : `FAIL ${cell.text}`;
}
