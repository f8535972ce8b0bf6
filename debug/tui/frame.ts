/** The whole screen as lines: header, panes, status, help. A pure function of the state. */
import type { PointView } from '../view/point-view.js';
import { layout, LINES_ABOVE, LINES_BELOW, MINIMUM, type PaneName, PANES } from './layout.js';
import type { PlacedPane } from './layout.js';
import { HELP_LINE, HELP_TEXT } from './keys.js';
import {
  codeContent,
  type CodeQuestion,
  paneContent,
  paneTitle,
  unscrolled,
} from './pane-content.js';
import { fitLine, inTone, type Line, lineOf, type Tone } from './span.js';

/** What is on the screen besides the position. */
export interface FrameState {
  readonly recent: readonly PaneName[];
  readonly zoomed: boolean;
  /** First line shown, by pane; absent: from the top. */
  readonly scroll: ReadonlyMap<PaneName, number>;
  /** A line that a search has found. */
  readonly found: { readonly pane: PaneName; readonly line: number } | undefined;
  /** First line of the help that is shown; undefined when the help is closed. */
  readonly help: number | undefined;
  /** The answer to the last command. The explanation of the walk follows it. */
  readonly status: string;
  /** Whether the user must not miss the status. */
  readonly alarming: boolean;
  /** A question and what has been typed so far. */
  readonly prompt:
    { readonly label: string; readonly text: string; readonly isChoice: boolean } | undefined;
}

/** What is shown of a position. */
export interface FrameModel {
  readonly view: PointView;
  readonly code: CodeQuestion;
}

/** Lines of the screen, each `width` characters, and the cursor's cell while something is typed. */
export interface Frame {
  readonly lines: readonly Line[];
  readonly cursor: { readonly x: number; readonly y: number } | undefined;
}

/** Verdicts that are marked with a `!`, because a sweep fails on them. */
const UNSAFE = ['missing', 'spurious', 'misordered', 'warned', 'fault'];

/** Compose the screen. */
export function frame(model: FrameModel, state: FrameState, width: number, height: number): Frame {
  if (width < MINIMUM.width || height < MINIMUM.height) return tooSmall(width, height);
  const body =
    state.help === undefined
      ? panes(model, state, width, height)
      : helpLines(state.help, width, height - LINES_ABOVE - LINES_BELOW);
  const { prompt } = state;
  const { walk } = model.view;
  const explanation = 'problem' in walk ? `${walk.problem}; i asks by another` : walk.explanation;
  // An answer that the user must not miss is shown alone.
  const parts = state.alarming ? [state.status] : [state.status, explanation];
  const answer = parts.filter((part) => part !== '').join(' | ');
  const status = prompt === undefined ? answer : `${prompt.label}${prompt.text}`;
  const keys =
    prompt !== undefined
      ? prompt.isChoice
        ? 'its number: go  Esc: cancel'
        : 'Enter: go  Esc: cancel'
      : state.help !== undefined
        ? 'j k: scroll  any other key, also q: back'
        : HELP_LINE;
  const lines = [
    fitLine(header(model.view, width), width),
    ...body,
    fitLine(lineOf(status, state.alarming && prompt === undefined ? 'notice' : 'bold'), width),
    // The last cell stays empty, because writing it would scroll some terminals.
    [...fitLine(lineOf(keys, 'dim'), width - 1), ...lineOf(' ')],
  ];
  if (prompt === undefined) return { lines, cursor: undefined };
  return { lines, cursor: { x: Math.min(status.length, width - 1), y: height - LINES_BELOW } };
}

function tooSmall(width: number, height: number): Frame {
  const text = `${width}x${height} is too small: the debugger needs ${MINIMUM.width}x${MINIMUM.height}; q quits`;
  const lines: Line[] = [];
  for (let at = 0; at < text.length && lines.length < height; at += Math.max(1, width - 1)) {
    lines.push(fitLine(lineOf(text.slice(at, at + Math.max(1, width - 1))), width));
  }
  while (lines.length < height) lines.push(fitLine([], width));
  return { lines, cursor: undefined };
}

/** The verdict must be visible, so the place is cut if necessary. */
function header(view: PointView, width: number): Line {
  const { scenario, place, position, at, walk } = view;
  // For a function of an image, the path is what matters least.
  const name = scenario.replace(/^.*\/(?=[^/]+:)/, '');
  const where = `${place}  step ${position}  ${at}`;
  const beside = (text: string, tone: Tone): Line => {
    const room = width - text.length - 1;
    const whole = `${name} ${where}`;
    const left = whole.length > room ? `${name.replace(/^[^:]+:/, '')} ${where}` : whole;
    return room < 0
      ? lineOf(text, tone)
      : [...fitLine(lineOf(left, 'bold'), room), ...lineOf(` ${text}`, tone)];
  };
  if ('problem' in walk) return beside(`[${walk.problem}]`, 'notice');
  const unsafe = UNSAFE.includes(walk.verdict);
  const tone = unsafe ? 'bad' : walk.verdict === 'exact' ? 'good' : 'notice';
  const mode = walk.mode === 'reliable' ? '' : ` ${walk.mode}`;
  return beside(`[${walk.policy} ${walk.asker}${mode}: ${unsafe ? '!' : ''}${walk.verdict}]`, tone);
}

function panes(model: FrameModel, state: FrameState, width: number, height: number): Line[] {
  const placed = layout(width, height, state);
  const drawn = placed.map((place) => ({ place, lines: paneLines(place, model, state) }));
  const rows: Line[] = [];
  for (let y = LINES_ABOVE; y < height - LINES_BELOW; y++) {
    const row: Line[] = [];
    let x = 0;
    const across = drawn
      .filter(({ place }) => place.y <= y && y < place.y + place.height)
      .sort((a, b) => a.place.x - b.place.x);
    for (const { place, lines } of across) {
      if (place.x > x) row.push(lineOf('|'.padStart(place.x - x), 'dim'));
      row.push(fitLine(lines[y - place.y] ?? [], place.width));
      x = place.x + place.width;
    }
    rows.push(fitLine(row.flat(), width));
  }
  return rows;
}

function paneLines(place: PlacedPane, { view, code }: FrameModel, state: FrameState): Line[] {
  const { pane, width, height } = place;
  const room = height - 1;
  const hasFocus = state.recent[0] === pane;
  const name = `${PANES.indexOf(pane) + 1} ${paneTitle(pane, view)}`;
  if (pane === 'code') return [title(name, '', hasFocus, width), ...codeContent(code, width, room)];
  const content = paneContent(pane, view, width);
  const { lines } = content;
  const wanted = state.scroll.get(pane) ?? unscrolled(content, room);
  const from = firstLine(wanted, lines.length, room);
  const shown = lines.slice(from, from + room).map((line, i) => {
    const isFound = state.found?.pane === pane && state.found.line === from + i;
    return isFound ? inTone(line, 'inverse') : line;
  });
  const last = Math.min(lines.length, from + room);
  const range = lines.length > room ? `${from + 1}-${last} of ${lines.length}` : '';
  return [title(name, range, hasFocus, width), ...shown];
}

/** The focused pane has `=` instead of `-`, and brackets. */
function title(name: string, range: string, hasFocus: boolean, width: number): Line {
  const rule = hasFocus ? '=' : '-';
  const text = hasFocus ? `${rule}[${name}]` : `${rule} ${name} `;
  const end = range === '' ? '' : ` ${range} ${rule}`;
  const fill = rule.repeat(Math.max(0, width - text.length - end.length));
  return lineOf(
    text.slice(0, Math.max(0, width - end.length)) + fill + end,
    hasFocus ? 'bold' : 'plain',
  );
}

/**
 * The first line to show for a user who scrolls to `wanted`, such that the last page stays full.
 */
export function firstLine(wanted: number, lines: number, room: number): number {
  return Math.max(0, Math.min(wanted, lines - room));
}

function helpLines(from: number, width: number, room: number): Line[] {
  const first = firstLine(from, HELP_TEXT.length, room);
  const lines = HELP_TEXT.slice(first, first + room);
  return Array.from({ length: room }, (_, i) => fitLine(lineOf(lines[i] ?? ''), width));
}
