/** The full-screen debugger: keys in, screens out. What keys do to the timeline is session.ts's. */
import { plural } from '../../base/number-text.js';
import type { Address } from '../../base/address.js';
import type { PointView } from '../view/point-view.js';
import { parsePlace, parseWatch } from './code-place.js';
import { firstLine, frame } from './frame.js';
import { type Command, commandFor, HELP_TEXT } from './keys.js';
import { LINES_ABOVE, LINES_BELOW, MINIMUM, PANES } from './layout.js';
import type { Follower } from './long-run.js';
import type { Direction } from './moves.js';
import { Panes, scrollBy } from './panes.js';
import { type Prompt, promptKey } from './prompt.js';
import type { Screen } from './screen.js';
import { type Answer, refused, type Session, SILENT, told } from './session.js';

/** The size of what the app draws on, and the drawing. */
export type Canvas = Pick<Screen, 'width' | 'height' | 'draw' | 'refresh'>;

/** Keys that end a command that is still running. */
const CANCEL: readonly string[] = ['ESCAPE', 'CTRL_C'];
/** Milliseconds after which a running command shows how far it is. */
const PATIENCE = 300;

/** One user at one screen. */
export class App {
  private view: PointView;
  private readonly panes: Panes;
  private help: number | undefined;
  private answer: Answer;
  private prompt: Prompt | undefined;
  private readonly keys: string[] = [];
  private busy = false;
  private cancelled = false;
  private done = false;

  /**
   * @param finish called once, when the user quits, or with what went wrong: nothing is drawn after it
   */
  constructor(
    private readonly session: Session,
    private readonly canvas: Canvas,
    private readonly finish: (error?: unknown) => void,
  ) {
    this.view = session.view();
    this.panes = new Panes(session, canvas, this.view.pc);
    this.answer = told('? shows all keys');
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
      const { canvas, view, session, answer, prompt } = this;
      const { cursor, recent, zoomed, scroll, found } = this.panes;
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
      // What cannot be seen is not done.
      if (command === 'quit') this.end();
    } else if (this.prompt !== undefined) {
      await this.typed(this.prompt, key);
    } else if (this.help !== undefined) {
      this.inHelp(this.help, command);
    } else if (command !== undefined) {
      await this.obey(command);
    } else {
      const hint = CANCEL.includes(key) ? 'nothing is running; q quits' : `no such key: ${key}`;
      this.answer = refused(`${hint}; ? shows all keys`);
    }
  }

  private async typed(prompt: Prompt, key: string): Promise<void> {
    const next = promptKey(prompt, key);
    this.prompt = next.kind === 'open' ? next.prompt : undefined;
    if (next.kind === 'left') this.answer = SILENT;
    if (next.kind === 'answered') await prompt.done(next.text);
  }

  private inHelp(from: number, command: Command | undefined): void {
    const room = this.canvas.height - LINES_ABOVE - LINES_BELOW;
    const by = scrollBy(command, room);
    if (by === undefined) this.help = undefined;
    else this.help = firstLine(Math.max(0, from + by), HELP_TEXT.length, room);
  }

  private async obey(command: Command): Promise<void> {
    const { session } = this;
    const direction: Direction = command.endsWith('-back') ? 'back' : 'forward';
    this.answer = SILENT;
    switch (command) {
      case 'step':
      case 'step-back': {
        this.moved(session.step(direction));
        return;
      }
      case 'over':
      case 'over-back': {
        this.moved(await session.over(direction, this.follower('stepping over')));
        return;
      }
      case 'finish':
      case 'finish-back': {
        this.moved(await session.finish(direction, this.follower('finishing')));
        return;
      }
      case 'call':
      case 'call-back': {
        this.moved(await session.call(direction, this.follower('to the next call')));
        return;
      }
      case 'verdict':
      case 'verdict-back': {
        this.moved(await session.verdict(direction, this.follower('judging')));
        return;
      }
      case 'continue':
      case 'continue-back': {
        this.moved(await session.continue(direction, this.follower('running')));
        return;
      }
      case 'address':
      case 'address-back': {
        this.askAddress(direction);
        return;
      }
      case 'exception': {
        this.askException();
        return;
      }
      case 'forget': {
        this.moved(session.forgetFuture());
        return;
      }
      case 'policy':
      case 'policy-back': {
        this.judged(session.switchPolicy(direction === 'back' ? -1 : 1));
        return;
      }
      case 'kind':
      case 'kind-back': {
        this.judged(session.switchKind(direction === 'back' ? -1 : 1));
        return;
      }
      case 'mode': {
        this.judged(session.switchMode());
        return;
      }
      case 'breakpoint':
        this.answer = session.toggleBreakpoint(this.panes.cursor);
        return;
      case 'breakpoint-at':
        this.ask('breakpoint at (symbol+offset or hexadecimal): ', (text) => {
          const place = parsePlace(text, session.line.machine.symbols);
          this.answer = place.ok ? session.toggleBreakpoint(place.value) : refused(place.error);
        });
        return;
      case 'watch':
        this.ask('watch (address and size in bytes): ', (text) => {
          this.answer = this.watch(text);
        });
        return;
      case 'unwatch': {
        const count = session.stops.unwatch();
        this.answer = count === 0 ? refused('nothing is watched') : told('nothing is watched now');
        return;
      }
      case 'search':
        this.ask('/', (text) => {
          this.panes.searched = text;
          this.answer = this.panes.search(this.view, 1);
        });
        return;
      case 'next-match':
        this.answer = this.panes.search(this.view, 1);
        return;
      case 'previous-match':
        this.answer = this.panes.search(this.view, -1);
        return;
      case 'zoom':
        this.panes.zoomed = !this.panes.zoomed;
        return;
      case 'to-pc':
        this.panes.cursor = this.view.pc;
        return;
      case 'redraw':
        this.canvas.refresh();
        return;
      case 'help':
        this.help = 0;
        return;
      case 'quit':
        this.end();
        return;
      case 'next-pane':
        this.panes.focusNeighbour(1);
        return;
      case 'previous-pane':
        this.panes.focusNeighbour(-1);
        return;
      case 'pane-1':
      case 'pane-2':
      case 'pane-3':
      case 'pane-4':
      case 'pane-5':
        this.panes.focus(PANES[Number(command.slice(-1)) - 1] ?? 'code');
        return;
      case 'down':
      case 'up':
      case 'page-down':
      case 'page-up':
      case 'top':
      case 'bottom':
        this.answer = this.panes.scrolled(this.view, command);
        return;
    }
  }

  /** The timeline may be elsewhere now. */
  private moved(answer: Answer): void {
    this.judged(answer);
    this.panes.cursor = this.view.pc;
  }

  private judged(answer: Answer): void {
    this.view = this.session.view();
    this.answer = answer;
    this.panes.unscroll();
  }

  private follower(what: string): Follower {
    const began = performance.now();
    return {
      isCancelled: () => this.cancelled || this.done,
      progress: (position) => {
        if (performance.now() - began < PATIENCE) return;
        this.answer = told(`${what}: at step ${position}; Esc or ^C stops`);
        this.draw();
      },
    };
  }

  private ask(label: string, done: Prompt['done']): void {
    this.prompt = { label, text: '', done };
  }

  private askAddress(direction: Direction): void {
    const { session } = this;
    const way = direction === 'forward' ? 'continue' : 'back';
    this.ask(`${way} to (symbol+offset or hexadecimal): `, async (text) => {
      const place = parsePlace(text, session.line.machine.symbols);
      if (!place.ok) {
        this.answer = refused(place.error);
        return;
      }
      const follower = this.follower('on the way');
      this.moved(await session.address(place.value, direction, follower));
    });
  }

  private askException(): void {
    const names = this.session.possibleExceptions();
    if (names.length === 0) {
      this.answer = refused('no exception can be taken here');
      return;
    }
    const choices = names.map((_, i) => String(i + 1));
    const label = `take here: ${names.map((name, i) => `${i + 1} ${name}`).join('  ')} `;
    const done = (text: string): void => {
      this.moved(this.session.takeException(names[Number(text) - 1] ?? ''));
    };
    this.prompt = { label, text: '', choices, done };
  }

  private watch(text: string): Answer {
    const { stops, line } = this.session;
    const parsed = parseWatch(text, line.machine.symbols);
    if (!parsed.ok) return refused(parsed.error);
    const made = stops.watch(parsed.value);
    if (!made.ok) return refused(made.error);
    const { address, size } = parsed.value;
    return told(`watching ${plural(size, 'byte')} at ${line.machine.symbols.format(address)}`);
  }
}
