/** How results look: colours, width, numbers. */
import { isatty } from 'node:tty';
import picocolors from 'picocolors';

export { count, plural } from '../base/number-text.js';

/** Colours of the terminal, or functions that change nothing. */
export type Colors = ReturnType<typeof picocolors.createColors>;

/** What printing needs to know of the place it prints to. */
export interface Style {
  readonly colors: Colors;
  /** Characters in a line. */
  readonly width: number;
}

/** Width of lines when the output is no terminal. */
const DEFAULT_WIDTH = 100;

/**
 * The style for standard output. Colours: on a terminal, unless `--no-color` or `NO_COLOR`
 * (https://no-color.org) says otherwise; `FORCE_COLOR` asks for them anywhere.
 */
export function outputStyle(color: boolean): Style {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  const wanted = (FORCE_COLOR ?? '') !== '' && FORCE_COLOR !== '0';
  const forbidden = !color || (NO_COLOR ?? '') !== '';
  // Not process.stdout.isTTY: that is undefined without a terminal, and picocolors takes an undefined
  // choice for its own, which is colours wherever CI is set.
  const terminal = isatty(1);
  const enabled = !forbidden && (wanted || (terminal && TERM !== 'dumb'));
  const columns = terminal ? process.stdout.columns : 0;
  return {
    colors: picocolors.createColors(enabled),
    width: columns >= 60 ? columns : DEFAULT_WIDTH,
  };
}

/** At most four characters: `999`, `1.7k`, `87k`, `2.1M`. */
export function brief(value: number): string {
  if (value < 1000) return String(value);
  const [scaled, unit] = value < 999_500 ? [value / 1000, 'k'] : [value / 1_000_000, 'M'];
  return `${scaled < 9.95 ? scaled.toFixed(1) : String(Math.round(scaled))}${unit}`;
}
