/**
 * What each command does to the timeline, the stops and the panes. keys.ts maps keys to commands.
 */
import { plural } from '../../base/number-text.js';
import type { PointView } from '../view/point-view.js';
import { parsePlace, parseWatch } from './code-place.js';
import type { Command } from './keys.js';
import { PANES } from './layout.js';
import type { Follower } from './long-run.js';
import type { Direction } from './moves.js';
import { Panes } from './panes.js';
import type { Prompt } from './prompt.js';
import type { Screen } from './screen.js';
import { type Answer, refused, type Session, told } from './session.js';

/** Milliseconds after which a running command shows its progress. */
const PATIENCE = 300;

/** The user, who waits for a long command. */
interface Onlooker {
  /** Whether the user has cancelled the running command. */
  isCancelled(): boolean;
  /** Show its progress. */
  draw(): void;
}

/** Commands about the screen, which the app carries out itself. */
type ScreenCommand = 'redraw' | 'help' | 'quit';

/** Carries out commands, and keeps what is to be shown afterwards. */
export class Commands {
  /** The timeline's position, as shown. */
  view: PointView;
  readonly panes: Panes;
  /** What the last command reports on the status line. */
  answer: Answer;
  /** A question that must be answered before the next command. */
  prompt: Prompt | undefined;

  constructor(
    private readonly session: Session,
    canvas: Pick<Screen, 'width' | 'height'>,
    private readonly user: Onlooker,
  ) {
    this.view = session.view();
    this.panes = new Panes(session, canvas, this.view.pc);
    this.answer = told('? shows all keys');
  }

  /** Carry out a command. Settles when it has ended, or has asked a question. */
  async obey(command: Exclude<Command, ScreenCommand>): Promise<void> {
    const { session } = this;
    const direction: Direction = command.endsWith('-back') ? 'back' : 'forward';
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

  /** The timeline may have moved. */
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
      isCancelled: () => this.user.isCancelled(),
      progress: (position) => {
        if (performance.now() - began < PATIENCE) return;
        this.answer = told(`${what}: at step ${position}; Esc or ^C stops`);
        this.user.draw();
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
