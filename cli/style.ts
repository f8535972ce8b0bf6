/** The look of results: colours, width, numbers. */
import { isatty } from 'node:tty';
import picocolors from 'picocolors';

/** Colours of the terminal, or functions that change nothing. */
export type Colors = ReturnType<typeof picocolors.createColors>;

/** What printing needs to know about its output. */
export interface Style {
  readonly colors: Colors;
  /** Characters in a line. */
  readonly width: number;
}

/** Width of lines when the output is not a terminal. */
const DEFAULT_WIDTH = 100;
/** The same for a sweep: the width of mail, logs and most terminals. */
const SWEEP_WIDTH = 80;
/** The narrowest width that tables are printed in. */
const MIN_WIDTH = 60;

/** Width of a sweep's lines when the output is not a terminal: COLUMNS if set, or 80. */
export function sweepWidth(): number {
  const columns = Number(process.env['COLUMNS'] ?? '');
  return Number.isInteger(columns) && columns >= MIN_WIDTH ? columns : SWEEP_WIDTH;
}

/**
 * The style for an output. Colours: on a terminal, unless `--no-color` or `NO_COLOR`
 * (https://no-color.org) says otherwise; `FORCE_COLOR` asks for them anywhere.
 * @param to standard error when a report goes to standard output
 * @param otherwise characters in a line when the output is not a terminal, or one too narrow
 */
export function outputStyle(
  color: boolean,
  to: NodeJS.WriteStream = process.stdout,
  otherwise = DEFAULT_WIDTH,
): Style {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  const wanted = (FORCE_COLOR ?? '') !== '' && FORCE_COLOR !== '0';
  const forbidden = !color || (NO_COLOR ?? '') !== '';
  // Not process.stdout.isTTY, which is undefined without a terminal: picocolors then decides by
  // itself, and uses colours wherever CI is set.
  const terminal = isatty(to === process.stderr ? 2 : 1);
  const enabled = !forbidden && (wanted || (terminal && TERM !== 'dumb'));
  const columns = terminal ? to.columns : 0;
  return {
    colors: picocolors.createColors(enabled),
    width: columns >= MIN_WIDTH ? columns : otherwise,
  };
}

/** A number in at most four characters: `999`, `1.7k`, `87k`, `2.1M`. */
export function brief(value: number): string {
  if (value < 1000) return String(value);
  const [scaled, unit] = value < 999_500 ? [value / 1000, 'k'] : [value / 1_000_000, 'M'];
  return `${scaled < 9.95 ? scaled.toFixed(1) : String(Math.round(scaled))}${unit}`;
}
