/** The full-screen debugger: handles keys one after the other, and draws the screen after each. */
import type { Address } from '../../base/address.js';
import { Commands } from './commands.js';
import { firstLine, frame } from './frame.js';
import { type Command, commandFor, HELP_TEXT } from './keys.js';
import { LINES_ABOVE, LINES_BELOW, MINIMUM } from './layout.js';
import { scrollBy } from './panes.js';
import { type Prompt, promptKey } from './prompt.js';
import type { Screen } from './screen.js';
import { refused, type Session, SILENT } from './session.js';

/** What the app draws on: its size, and how to draw. */
export type Canvas = Pick<Screen, 'width' | 'height' | 'draw' | 'refresh'>;

/** Keys that cancel a command that is still running. */
const CANCEL: readonly string[] = ['ESCAPE', 'CTRL_C'];

/** One user at one screen. */
export class App {
  private readonly commands: Commands;
  /** First line of the help that is shown; undefined when the help is closed. */
  private help: number | undefined;
  private readonly keys: string[] = [];
  private busy = false;
  private cancelled = false;
  private done = false;

  /** @param finish called once, when the user quits, or with an error; nothing is drawn after it */
  constructor(
    private readonly session: Session,
    private readonly canvas: Canvas,
    private readonly finish: (error?: unknown) => void,
  ) {
    this.commands = new Commands(session, canvas, {
      isCancelled: () => this.cancelled || this.done,
      draw: () => {
        this.draw();
      },
    });
  }

  /** Handle a key, after those before it. */
  key(name: string): void {
    if (this.done) return;
    if (this.busy && CANCEL.includes(name)) {
      this.cancelled = true;
      this.keys.length = 0;
      return;
    }
    this.keys.push(name);
    if (!this.busy) void this.work();
  }

  /** Show everything as it is now. */
  draw(): void {
    if (this.done) return;
    try {
      const { canvas, session } = this;
      const { view, answer, prompt, panes } = this.commands;
      const { cursor, recent, zoomed, scroll, found } = panes;
      const code = {
        lineAt: (address: Address) => session.codeAt(address),
        cursor,
        breakpoints: session.stops.breakpoints,
      };
      const state = {
        recent,
        zoomed,
        scroll,
        found,
        help: this.help,
        status: answer.text,
        alarming: answer.alarming,
        prompt: prompt && { ...prompt, isChoice: prompt.choices !== undefined },
      };
      const made = frame({ view, code }, state, canvas.width, canvas.height);
      canvas.draw(made.lines, made.cursor);
    } catch (error) {
      this.end(error);
    }
  }

  private async work(): Promise<void> {
    this.busy = true;
    try {
      for (let key = this.keys.shift(); key !== undefined; key = this.keys.shift()) {
        this.cancelled = false;
        await this.handle(key);
        if (this.done) return;
        if (this.keys.length === 0) this.draw();
      }
    } catch (error) {
      this.end(error);
    } finally {
      this.busy = false;
    }
  }

  private end(error?: unknown): void {
    if (this.done) return;
    this.done = true;
    this.finish(error);
  }

  private async handle(key: string): Promise<void> {
    const { canvas } = this;
    const tooSmall = canvas.width < MINIMUM.width || canvas.height < MINIMUM.height;
    const command = commandFor(key);
    if (tooSmall) {
      // Obey no command whose effect cannot be seen.
      if (command === 'quit') this.end();
    } else if (this.commands.prompt !== undefined) {
      await this.typed(this.commands.prompt, key);
    } else if (this.help !== undefined) {
      this.inHelp(this.help, command);
    } else if (command !== undefined) {
      await this.obey(command);
    } else {
      const hint = CANCEL.includes(key) ? 'nothing is running; q quits' : `no such key: ${key}`;
      this.commands.answer = refused(`${hint}; ? shows all keys`);
    }
  }

  private async typed(prompt: Prompt, key: string): Promise<void> {
    const next = promptKey(prompt, key);
    this.commands.prompt = next.kind === 'open' ? next.prompt : undefined;
    if (next.kind === 'left') this.commands.answer = SILENT;
    if (next.kind === 'answered') await prompt.done(next.text);
  }

  private inHelp(from: number, command: Command | undefined): void {
    const room = this.canvas.height - LINES_ABOVE - LINES_BELOW;
    const by = scrollBy(command, room);
    if (by === undefined) this.help = undefined;
    else this.help = firstLine(Math.max(0, from + by), HELP_TEXT.length, room);
  }

  private async obey(command: Command): Promise<void> {
    this.commands.answer = SILENT;
    if (command === 'redraw') this.canvas.refresh();
    else if (command === 'help') this.help = 0;
    else if (command === 'quit') this.end();
    else await this.commands.obey(command);
  }
}
