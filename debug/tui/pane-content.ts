/** What the panes show, as pure functions of the model and a size. */
import type { Address } from '../../base/address.js';
import type { CodeLine } from '../view/code-view.js';
import type { PointView } from '../view/point-view.js';
import { registerLines, stackLines, tracerLines } from '../view/text.js';
import { walkLines } from '../view/walk-text.js';
import type { PaneName } from './layout.js';
import { inTone, type Line, lineFromMarked, lineOf, MARKING, type Span, textOf } from './span.js';

/** A pane's lines, and the index of the one that must be visible until the user scrolls. */
export interface PaneContent {
  readonly lines: readonly Line[];
  readonly focus: number;
}

/** What the code pane shows besides the position. */
export interface CodeQuestion {
  /** One instruction; undefined where there is no memory. */
  readonly lineAt: (address: Address) => CodeLine | undefined;
  /** The instruction that keys act on. */
  readonly cursor: Address;
  readonly breakpoints: ReadonlySet<Address>;
}

/** A pane's title, without its number. */
export function paneTitle(pane: PaneName, view: PointView): string {
  switch (pane) {
    case 'code':
      return 'code: instruction, SFrame rule';
    case 'registers':
      return 'registers (* changed)';
    case 'stack':
      return view.stackInHandler ? 'stack, in the handler that asks' : 'stack';
    case 'tracers':
      return `return stack, kretprobes of ${view.task}`;
    case 'walk':
      return 'walk: truth, trace';
  }
}

/** The first line to show until the user scrolls, such that the line in focus is visible. */
export function unscrolled({ focus }: PaneContent, room: number): number {
  return focus < room ? 0 : focus - Math.floor(room / 3);
}

/** All lines of a pane other than the code. */
export function paneContent(
  pane: Exclude<PaneName, 'code'>,
  view: PointView,
  width: number,
): PaneContent {
  const lines = [...textOfPane(pane, view, width)].map(lineFromMarked);
  // A reader wants to see first where the walk went wrong.
  const focus = pane === 'walk' ? lines.findIndex((line) => textOf(line).startsWith('!>')) : 0;
  return { lines, focus: Math.max(0, focus) };
}

function textOfPane(
  pane: Exclude<PaneName, 'code'>,
  view: PointView,
  width: number,
): Iterable<string> {
  const style = { paint: MARKING, width };
  switch (pane) {
    case 'registers':
      return registerLines(view.registers, style);
    case 'stack':
      return stackLines(view.stack, style);
    case 'tracers':
      return tracerLines(view.tracers, style);
    case 'walk':
      return walkLines(view.walk, style);
  }
}

/** Characters for marks, offset and a usual instruction. */
const TEXT_WIDTH = 44;
/** On a narrower pane, a column of rules would leave no room for the instructions. */
const RULE_COLUMN_FROM = 66;

/**
 * Exactly `height` lines of code around the cursor. The first three columns hold `B` for a
 * breakpoint, `>` for the next instruction, and `+` for the cursor if it is elsewhere. The last
 * line is the rule in force at the cursor, for panes that are too narrow to show every rule.
 */
export function codeContent(
  { lineAt, cursor, breakpoints }: CodeQuestion,
  width: number,
  height: number,
): Line[] {
  const room = height - 1;
  const above = Math.floor(room / 3);
  const before: Line[] = [];
  for (let at = cursor - 4; before.length < above; at -= 4) {
    const line = lineAt(at);
    if (line === undefined) break;
    before.unshift(instruction(line, breakpoints, cursor, width));
    if (line.label !== undefined) before.unshift(label(line.label));
  }
  const after: Line[] = [];
  for (let at = cursor; after.length < room; at += 4) {
    const line = lineAt(at);
    if (line === undefined) break;
    if (line.label !== undefined) {
      // The cursor's own label belongs to the lines above the cursor.
      if (at === cursor) before.push(label(line.label));
      else after.push(label(line.label));
    }
    after.push(instruction(line, breakpoints, cursor, width));
  }
  const lines = [...before.slice(-above), ...after].slice(0, room);
  while (lines.length < room) lines.push(lineOf(''));
  const here = lineAt(cursor);
  const rule = here === undefined ? 'no memory here' : `rule: ${ruleOf(here)}`;
  return [...lines, lineOf(rule, 'bold')];
}

function label(name: string): Line {
  return lineOf(`   ${name}:`, 'bold');
}

function ruleOf(line: CodeLine): string {
  return line.rule ?? 'no SFrame entry';
}

function instruction(
  line: CodeLine,
  breakpoints: ReadonlySet<Address>,
  cursor: Address,
  width: number,
): Line {
  const isCursor = line.address === cursor;
  const mark =
    (breakpoints.has(line.address) ? 'B' : ' ') +
    (line.isCurrent ? '>' : ' ') +
    (isCursor && !line.isCurrent ? '+' : ' ');
  const plus = line.place.lastIndexOf('+');
  const offset = line.place.slice(plus < 0 ? -6 : plus).padEnd(7);
  const probed = line.probed === undefined ? '' : `  (kprobe on ${line.probed})`;
  const text = `${mark}${offset}${codeText(line)}${probed}`;
  if (width < RULE_COLUMN_FROM) return toned([{ text, tone: 'plain' }], isCursor, line.isCurrent);
  const shown = text.slice(0, TEXT_WIDTH - 1).padEnd(TEXT_WIDTH);
  const spans: Span[] = [
    { text: shown, tone: 'plain' },
    { text: ruleOf(line), tone: 'dim' },
  ];
  return toned(spans, isCursor, line.isCurrent);
}

/** The instruction. A branch target's address is left out: its symbol tells more. */
export function codeText(line: CodeLine): string {
  return line.text.replace(/\b[0-9a-f]{16} <([^>]+)>/, '<$1>').replace(/\t/g, ' ');
}

function toned(line: Line, isCursor: boolean, isCurrent: boolean): Line {
  if (isCursor) return inTone(line, 'inverse');
  return isCurrent ? inTone(line, 'bold') : line;
}
