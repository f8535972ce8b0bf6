/**
 * The terminal. Draws lines, reports keys and sizes, and restores the terminal whatever ends the
 * session. This is the only file that knows terminal-kit.
 */
import { PassThrough } from 'node:stream';
import terminalKit, { type Attributes } from 'terminal-kit';
import { fitLine, type Line, type Tone } from './span.js';

/**
 * What happens at the terminal. Keys have terminal-kit's names, such as `a`, `A`, `ENTER`,
 * `CTRL_C`, `UP`.
 */
export interface ScreenEvents {
  key(name: string): void;
  resized(): void;
  /** The terminal is gone. */
  lost(): void;
}

/** An open screen. Sizes are in cells. */
export interface Screen {
  readonly width: number;
  readonly height: number;
  /** Show these lines, the first at the top. @param cursor cell where a text is being typed */
  draw(lines: readonly Line[], cursor?: { readonly x: number; readonly y: number }): void;
  /** Redraw everything at the next {@link draw}. */
  refresh(): void;
  /** Restore the terminal. May be called more than once. */
  close(): void;
}

/**
 * How long the rest of a key's escape sequence may take, in milliseconds. Networks split sequences.
 */
const ESCAPE_WAIT = 40;

/** Why this process's terminal cannot show a screen, in one line; undefined when it can. */
export function unusableTerminal(): string | undefined {
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    return 'the full-screen debugger needs a terminal: use --print, --trace FILE or --gdb PORT';
  }
  const { TERM = '' } = process.env;
  if (TERM !== '' && TERM !== 'dumb') return undefined;
  return `the full-screen debugger needs a terminal that can move its cursor, and TERM is '${TERM}': use --print, --trace FILE or --gdb PORT`;
}

/** Take over the terminal. @param color whether tones may be colours */
export function openScreen(color: boolean, events: ScreenEvents): Screen {
  const input = new KeyFilter();
  // Use the common denominator, because an old terminal would print sequences that it does not
  // know.
  const term = terminalKit.createTerminal({
    stdin: input,
    stdout: process.stdout,
    stderr: process.stderr,
    generic: 'xterm',
    isTTY: true,
    isSSH: false,
    processSigwinch: true,
  });
  const tones = color ? COLORED : UNCOLORED;
  let open = true;
  let cells = { width: term.width, height: term.height };
  let buffer: InstanceType<typeof terminalKit.ScreenBuffer> | undefined;
  const lost = (): void => {
    if (open) events.lost();
  };
  const key = (name: string): void => {
    if (open) events.key(name);
  };
  const resized = (width: number, height: number): void => {
    cells = { width, height };
    buffer = undefined;
    if (open) events.resized();
  };
  const close = (): void => {
    if (!open) return;
    open = false;
    process.removeListener('exit', close);
    term.styleReset();
    // A terminal without an alternate screen is left empty rather than full of panes.
    term.clear();
    term.fullscreen(false);
    term.hideCursor(false);
    term.grabInput(false);
    term.shutdown = true;
    input.detach();
  };
  process.once('exit', close);
  process.stdout.on('error', lost);
  input.attach(lost);
  term.fullscreen(true);
  term.hideCursor();
  term.grabInput(true);
  term.on('key', key);
  term.on('resize', resized);
  return {
    get width() {
      return cells.width;
    },
    get height() {
      return cells.height;
    },
    draw: (lines, cursor) => {
      if (!open) return;
      const { width, height } = cells;
      const delta = buffer !== undefined;
      if (!delta) term.clear();
      buffer ??= new terminalKit.ScreenBuffer({ dst: term, width, height });
      buffer.fill();
      for (const [y, line] of lines.slice(0, height).entries()) {
        let x = 0;
        for (const { text, tone } of fitLine(line, width)) {
          buffer.put({ x, y, attr: tones[tone], wrap: false }, text);
          x += text.length;
        }
      }
      buffer.draw({ delta });
      term.styleReset();
      term.hideCursor(cursor === undefined);
      if (cursor !== undefined) term.moveTo(cursor.x + 1, cursor.y + 1);
    },
    refresh: () => {
      buffer = undefined;
    },
    close,
  };
}

const UNCOLORED: Readonly<Record<Tone, Attributes>> = {
  plain: {},
  bold: { bold: true },
  dim: {},
  bad: { bold: true },
  good: {},
  notice: { bold: true },
  inverse: { inverse: true },
};

const COLORED: Readonly<Record<Tone, Attributes>> = {
  plain: {},
  bold: { bold: true },
  dim: { dim: true },
  bad: { color: 'red', bold: true },
  good: { color: 'green' },
  notice: { color: 'yellow' },
  inverse: { inverse: true },
};

/**
 * Standard input on its way to the library. Bytes above 0x7f are dropped, because a stray one makes
 * terminal-kit 3.1.4 loop forever. The start of an escape sequence is held until the rest arrives.
 */
class KeyFilter extends PassThrough {
  private held = '';
  private timer: NodeJS.Timeout | undefined;
  private ended: (() => void) | undefined;

  /** Called by the library. */
  setRawMode(raw: boolean): void {
    // Fails when the terminal is gone, and then there is nothing to restore.
    try {
      process.stdin.setRawMode(raw);
    } catch {
      this.held = '';
    }
  }

  attach(ended: () => void): void {
    this.ended = ended;
    process.stdin.on('data', this.received);
    process.stdin.on('end', ended);
    process.stdin.on('error', ended);
    process.stdin.resume();
  }

  detach(): void {
    clearTimeout(this.timer);
    process.stdin.removeListener('data', this.received);
    if (this.ended !== undefined) process.stdin.removeListener('end', this.ended);
    process.stdin.pause();
  }

  private readonly received = (chunk: Buffer): void => {
    clearTimeout(this.timer);
    const text = this.held + chunk.toString('latin1').replace(/[\x80-\xff]/g, '');
    // eslint-disable-next-line no-control-regex -- escape sequences begin with a control character
    const begun = /\x1b(?:\[[0-9;]*|O)?$/.exec(text)?.[0] ?? '';
    this.held = begun;
    this.release(text.slice(0, text.length - begun.length));
    if (begun === '') return;
    this.timer = setTimeout(() => {
      this.held = '';
      this.release(begun);
    }, ESCAPE_WAIT);
  };

  private release(text: string): void {
    if (text !== '') this.write(Buffer.from(text, 'latin1'));
  }
}
