/**
 * A real terminal: tmux (its own server, no configuration) runs the command and says what is on the
 * screen. https://man.openbsd.org/tmux
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { MAIN, ROOT } from '../../cli/run-cli.js';

/** Why there is no terminal to test with, or undefined. */
export const NO_TMUX =
  spawnSync('tmux', ['-V']).status === 0 ? undefined : 'tmux is not installed (apt install tmux)';

const SCREENS = fileURLToPath(new URL('screens', import.meta.url));
/** How long a screen may take to appear; on a busy machine the program starts slowly. */
const DEADLINE = 20_000;
/** How often the screen is looked at, in milliseconds. */
const PAUSE = 15;
/** `UPDATE_SCREENS=1` writes what is seen instead of comparing; read it before committing it. */
const UPDATE = process.env['UPDATE_SCREENS'] === '1';
/** A screen that stays the same for so many looks is taken to be complete when it is written. */
const STILL = 30;

/** What a terminal is started with. */
export interface TerminalOptions {
  readonly width: number;
  readonly height: number;
  /** Arguments of `kunwind-lab debug`. */
  readonly args: string;
  /** Words for env(1): `TERM=vt100`, `NO_COLOR=1`. */
  readonly environment?: string;
}

let terminals = 0;

/** One terminal with the debugger in a shell, which then shows how it ended and its settings. */
export class TmuxTerminal {
  private readonly socket = `kunwind-test-${process.pid}-${++terminals}`;
  private readonly folder = mkdtempSync(join(tmpdir(), 'kunwind-tui-'));

  constructor({ width, height, args, environment = 'TERM=xterm' }: TerminalOptions) {
    const pidFile = join(this.folder, 'pid');
    // The shell's own lines show that the screen before is back, and that the terminal is not raw.
    const script = join(this.folder, 'run.sh');
    writeFileSync(
      script,
      [
        `cd '${ROOT}'`,
        'echo before',
        `env -u NO_COLOR -u FORCE_COLOR -u COLORTERM -u TERM_PROGRAM ${environment} \\`,
        `  sh -c 'echo $$ >${pidFile}; exec "${process.execPath}" "${MAIN}" debug ${args}'`,
        'echo "status $?"',
        "stty -a | tr ' ;' '\\n\\n' | grep -xE -- '-?(icanon|echo|isig|opost)' | sort | xargs",
        'read line',
      ].join('\n'),
    );
    this.tmux(
      '-f',
      '/dev/null',
      'new-session',
      '-d',
      '-x',
      String(width),
      '-y',
      String(height),
      `sh ${script}`,
    );
  }

  /** Press keys, by tmux's names for them; several at once is typing fast. */
  press(...keys: string[]): void {
    this.tmux('send-keys', ...keys);
  }

  /** Type a text as it is. */
  type(text: string): void {
    this.tmux('send-keys', '-l', text);
  }

  /** Make the window another size. */
  resize(width: number, height: number): void {
    this.tmux('resize-window', '-x', String(width), '-y', String(height));
  }

  /** Lines on the screen, without trailing spaces. @param styled with escape sequences for styles */
  screen(styled = false): string {
    const text = this.tmux('capture-pane', '-p', ...(styled ? ['-e'] : []));
    return `${text.replace(/[ \t]+$/gm, '').replace(/\n+$/, '')}\n`;
  }

  /** Process id of the debugger. */
  get pid(): number {
    return Number(readFileSync(join(this.folder, 'pid'), 'utf8'));
  }

  /** Wait for the screen that the file of this name has. */
  async shows(name: string): Promise<void> {
    const path = join(SCREENS, `${name}.txt`);
    if (UPDATE) {
      writeFileSync(path, await this.still());
      return;
    }
    const expected = existsSync(path) ? readFileSync(path, 'utf8') : `no file ${name}.txt\n`;
    const seen = await this.waitFor((screen) => screen === expected);
    expect(seen, name).toBe(expected);
  }

  /** Wait for a text. */
  async has(text: string): Promise<void> {
    const seen = await this.waitFor((screen) => screen.includes(text));
    expect(seen).toContain(text);
  }

  /** End everything. */
  close(): void {
    this.tmux('kill-server');
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async waitFor(isThere: (screen: string) => boolean): Promise<string> {
    const end = performance.now() + DEADLINE;
    let screen = this.screen();
    while (!isThere(screen) && performance.now() < end) {
      await setTimeout(PAUSE);
      screen = this.screen();
    }
    return screen;
  }

  private async still(): Promise<string> {
    let screen = this.screen();
    for (let same = 0; same < STILL; same++) {
      await setTimeout(PAUSE);
      const next = this.screen();
      if (next !== screen || next.length < 40) same = 0;
      screen = next;
    }
    return screen;
  }

  private tmux(...words: string[]): string {
    const { stdout } = spawnSync('tmux', ['-L', this.socket, ...words], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C.UTF-8', TERM: 'xterm' },
    });
    return stdout;
  }
}
