/**
 * Lines of the screen as data: pieces of text, each with a tone. screen.ts decides what a tone
 * looks like.
 */
import type { Paint } from '../view/text-style.js';

/**
 * What a piece of text means to its reader. A tone never carries information that the text lacks.
 */
export type Tone = 'plain' | 'bold' | 'dim' | 'bad' | 'good' | 'notice' | 'inverse';

/** A piece of a line. */
export interface Span {
  readonly text: string;
  readonly tone: Tone;
}

/** One line of a pane or of the screen. */
export type Line = readonly Span[];

/** A line in one tone. */
export function lineOf(text: string, tone: Tone = 'plain'): Line {
  return [{ text, tone }];
}

/** The characters of a line. */
export function textOf(line: Line): string {
  return line.map(({ text }) => text).join('');
}

/** The line in one tone, replacing those of its pieces. */
export function inTone(line: Line, tone: Tone): Line {
  return lineOf(textOf(line), tone);
}

/**
 * Exactly `width` characters, each one cell wide. The line is cut off with `~`, or padded with
 * spaces. Symbols come from files, so bytes that would move the cursor are replaced.
 */
export function fitLine(line: Line, width: number): Line {
  const spans: Span[] = [];
  let left = width;
  const total = textOf(line).length;
  for (const { text, tone } of line) {
    if (left === 0) break;
    const safe = text.replace(/…/g, '~').replace(/[^ -~]/g, '?');
    const cut = safe.length <= left ? safe : safe.slice(0, left);
    if (cut !== '') spans.push({ text: cut, tone });
    left -= cut.length;
  }
  if (left > 0) spans.push({ text: ' '.repeat(left), tone: 'plain' });
  const last = spans.at(-1);
  if (total > width && last !== undefined) {
    spans[spans.length - 1] = { text: `${last.text.slice(0, -1)}~`, tone: last.tone };
  }
  return spans;
}

// Private-use characters mark tones in the text that view/text.ts makes.
const FIRST_MARK = 0xe001;
const END_MARK = '\u{e000}';
const TONES: readonly Tone[] = ['bold', 'dim', 'bad', 'good', 'notice'];

function marking(tone: Tone): (text: string) => string {
  const mark = String.fromCharCode(FIRST_MARK + TONES.indexOf(tone));
  return (text) => `${mark}${text}${END_MARK}`;
}

/** A paint for view/text.ts, with marks that {@link lineFromMarked} understands. */
export const MARKING: Paint = {
  bold: marking('bold'),
  dim: marking('dim'),
  red: marking('bad'),
  green: marking('good'),
  yellow: marking('notice'),
};

/** The line for a text that was painted by {@link MARKING}. */
export function lineFromMarked(text: string): Line {
  const spans: Span[] = [];
  const open: Tone[] = ['plain'];
  for (const part of text.split(/([\u{e000}-\u{e00f}])/u)) {
    if (part === END_MARK) {
      if (open.length > 1) open.pop();
      continue;
    }
    const code = part.length === 1 ? part.charCodeAt(0) - FIRST_MARK : -1;
    const tone = TONES[code];
    if (tone !== undefined) open.push(tone);
    else if (part !== '') spans.push({ text: part, tone: open.at(-1) ?? 'plain' });
  }
  return spans;
}
