/**
 * Which panes the user sees, how far they are scrolled, the code's cursor, and the search in them.
 */
import type { Address } from '../../base/address.js';
import type { PointView } from '../view/point-view.js';
import { searchCode } from './code-search.js';
import { firstLine, type FrameState } from './frame.js';
import type { Command } from './keys.js';
import { layout, type PaneName, PANES } from './layout.js';
import { paneContent, unscrolled } from './pane-content.js';
import { type Answer, refused, type Session, SILENT, told } from './session.js';
import { textOf } from './span.js';

/** The state of the panes. */
export class Panes {
  /** Panes, the most recently focused first. */
  recent: readonly PaneName[] = ['code', 'walk', 'registers', 'stack', 'tracers'];
  zoomed = false;
  /** First line shown, by pane, where the user has scrolled. */
  readonly scroll = new Map<PaneName, number>();
  found: FrameState['found'];
  /** The text that is searched for; empty before the first search. */
  searched = '';

  /**
   * @param size size of the screen, which may change
   * @param cursor the instruction that keys act on
   */
  constructor(
    private readonly session: Session,
    private readonly size: { readonly width: number; readonly height: number },
    public cursor: Address,
  ) {}

  /** Give a pane the focus. */
  focus(pane: PaneName): void {
    this.recent = [pane, ...this.recent.filter((other) => other !== pane)];
  }

  /** Give the focus to the previous or next pane. */
  focusNeighbour(by: 1 | -1): void {
    const at = PANES.indexOf(this.recent[0] ?? 'code');
    this.focus(PANES[(at + by + PANES.length) % PANES.length] ?? 'code');
  }

  /** Forget scrolling and the last match, because what the panes show has changed. */
  unscroll(): void {
    this.scroll.clear();
    this.found = undefined;
  }

  /** The focused pane, how many lines of it are visible at once, and its width. */
  private focused(): { pane: PaneName; room: number; width: number } {
    const { width, height } = this.size;
    const pane = this.recent[0] ?? 'code';
    const place = layout(width, height, this).find((placed) => placed.pane === pane);
    return { pane, room: Math.max(1, (place?.height ?? 2) - 1), width: place?.width ?? width };
  }

  /** Scroll the focused pane; in the code, move the cursor. */
  scrolled(view: PointView, command: Command): Answer {
    const { pane, room, width } = this.focused();
    if (pane === 'code') return this.moveCursor(command, room);
    const content = paneContent(pane, view, width);
    const { lines } = content;
    const from = this.scroll.get(pane) ?? unscrolled(content, room);
    const to =
      command === 'top'
        ? 0
        : command === 'bottom'
          ? lines.length
          : from + (scrollBy(command, room) ?? 0);
    this.scroll.set(pane, firstLine(Math.max(0, to), lines.length, room));
    return SILENT;
  }

  private moveCursor(command: Command, room: number): Answer {
    const { symbols } = this.session.line.machine;
    const around = symbols.at(this.cursor);
    let to = this.cursor + 4 * (scrollBy(command, room) ?? 0);
    if (around !== undefined && command === 'top') to = around.symbol.address;
    if (around !== undefined && command === 'bottom') {
      to = around.symbol.address + Math.max(0, around.symbol.size - 4);
    }
    if (this.session.codeAt(to) === undefined) return refused('no memory there');
    this.cursor = to;
    return SILENT;
  }

  /** Go to the next or previous line that contains {@link searched} in the focused pane. */
  search(view: PointView, by: 1 | -1): Answer {
    if (this.searched === '') return refused('nothing searched for yet: / searches');
    const { pane, room, width } = this.focused();
    const text = this.searched;
    if (pane === 'code') return this.searchInCode(text, by);
    const content = paneContent(pane, view, width);
    const lines = content.lines.map(textOf);
    const start = this.found?.pane === pane ? this.found.line : by > 0 ? -1 : lines.length;
    for (let i = 1; i <= lines.length; i++) {
      const line = (start + by * i + 2 * lines.length) % lines.length;
      if (lines[line]?.toLowerCase().includes(text.toLowerCase()) !== true) continue;
      this.found = { pane, line };
      const from = this.scroll.get(pane) ?? unscrolled(content, room);
      if (line < from || line >= from + room) {
        this.scroll.set(pane, firstLine(Math.max(0, line - (room >> 1)), lines.length, room));
      }
      return told(`/${text}: line ${line + 1}: ${lines[line].trim()}`);
    }
    return refused(`/${text}: not in ${pane}`);
  }

  private searchInCode(text: string, by: 1 | -1): Answer {
    const { session } = this;
    const lineAt = (address: Address): ReturnType<Session['codeAt']> => session.codeAt(address);
    const found = searchCode(session.line, lineAt, this.cursor, text, by > 0 ? 4 : -4);
    if (found === undefined) {
      return refused(
        `/${text}: no instruction ${by > 0 ? 'after' : 'before'} the cursor, and no symbol`,
      );
    }
    this.cursor = found;
    return told(`/${text}: ${session.line.machine.symbols.format(found)}; . goes back`);
  }
}

/** Lines by which a command scrolls, or undefined for another command. */
export function scrollBy(command: Command | undefined, room: number): number | undefined {
  const page = Math.max(1, room - 1);
  if (command === 'down') return 1;
  if (command === 'up') return -1;
  if (command === 'page-down') return page;
  return command === 'page-up' ? -page : undefined;
}
