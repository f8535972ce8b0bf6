/**
 * What the keys do to a timeline, without a screen. Every command answers with a line for the user.
 */
import type { Address } from '../../base/address.js';
import type { Disassembler } from '../../aarch64/disassembler.js';
import { KIND_NAMES, kindNames } from '../../kernel-model/exception-kind.js';
import type { WalkMode } from '../../unwinder/kunwind.js';
import { POLICIES } from '../../unwinder/policies/all.js';
import type { Policy, PolicyName } from '../../unwinder/policy.js';
import type { Asker, Evaluator } from '../evaluate.js';
import type { Stop, StopTest } from '../stop.js';
import type { Timeline } from '../timeline.js';
import { codeLine, type CodeLine } from '../view/code-view.js';
import { pointView, type PointView } from '../view/point-view.js';
import { type Follower, longRun } from './long-run.js';
import { atAddress, atCall, type Direction, leaveFrame, oneStep, stepOver } from './moves.js';
import { StopPoints } from './stop-points.js';

/** What a session starts with. */
export interface SessionStart {
  readonly evaluator: Evaluator;
  /** Undefined: code is shown as bare instruction words. */
  readonly disassembler: Disassembler | undefined;
  readonly asker: Asker;
  readonly policy: Policy;
}

/** What a command reports. */
export interface Answer {
  readonly text: string;
  /** The command did not do its job. */
  readonly alarming: boolean;
}

const NAMES = Object.keys(POLICIES) as readonly PolicyName[];
const ASKERS: readonly Asker[] = [...KIND_NAMES.keys(), 'direct'];
/** Nothing to say. */
export const SILENT: Answer = { text: '', alarming: false };

/** An answer that says what was done. */
export function told(text: string): Answer {
  return { text, alarming: false };
}

/** An answer that says why something was not done. */
export function refused(text: string): Answer {
  return { text, alarming: true };
}

/** One debugging session. */
export class Session {
  readonly line: Timeline;
  readonly stops: StopPoints;
  private readonly evaluator: Evaluator;
  private readonly disassembler: Disassembler | undefined;
  private policy: Policy;
  private asker: Asker;
  private mode: WalkMode = 'reliable';

  constructor({ evaluator, disassembler, asker, policy }: SessionStart) {
    this.line = evaluator.line;
    this.evaluator = evaluator;
    this.disassembler = disassembler;
    this.asker = asker;
    this.policy = policy;
    this.stops = new StopPoints(this.line);
  }

  /** Everything that is shown about this position. */
  view(): PointView {
    const { evaluator, disassembler, asker, policy, mode } = this;
    const window = { before: 0, after: 0 };
    return pointView(evaluator, disassembler, { asker, policy, mode, window });
  }

  /** One instruction, or undefined where there is no memory. */
  codeAt(address: Address): CodeLine | undefined {
    const { parts, machine, pc } = this.line;
    if (machine.memory.readWord(address) === undefined) return undefined;
    return codeLine(parts, this.disassembler, address, pc);
  }

  step(direction: Direction): Answer {
    const { position } = this.line;
    return this.afterStep(oneStep(this.line, direction), direction, position);
  }

  async over(direction: Direction, follower: Follower): Promise<Answer> {
    const { position } = this.line;
    const { stop, rest } = stepOver(this.line, direction);
    if (rest === undefined) return this.afterStep(stop, direction, position);
    return this.run(rest, direction, follower, 'it does not return');
  }

  async finish(direction: Direction, follower: Follower): Promise<Answer> {
    const test = leaveFrame(this.line);
    if (test === undefined)
      return refused('no call is pending here: this is the outermost function');
    const why = direction === 'forward' ? 'it does not return' : 'its call is not on this timeline';
    return this.run(test, direction, follower, why);
  }

  call(direction: Direction, follower: Follower): Promise<Answer> {
    const none = `no call ${side(direction)} this point`;
    return this.search(atCall(this.line), direction, follower, none);
  }

  address(address: Address, direction: Direction, follower: Follower): Promise<Answer> {
    const where = this.line.machine.symbols.format(address);
    const none = `${where} is not reached ${side(direction)} this point`;
    return this.search(atAddress(this.line, address), direction, follower, none);
  }

  async verdict(direction: Direction, follower: Follower): Promise<Answer> {
    const { evaluator, asker, policy, mode } = this;
    const test = evaluator.verdictTest(asker, policy, mode);
    const none = `no bad verdict ${side(direction)} this point (${this.question})`;
    return this.search({ here: test }, direction, follower, none);
  }

  async continue(direction: Direction, follower: Follower): Promise<Answer> {
    if (this.stops.isEmpty) {
      return refused('no breakpoint (b, B) and no watch (w): nothing would stop it');
    }
    const none = `no breakpoint and no watched change ${side(direction)} this point`;
    return this.search({}, direction, follower, none);
  }

  /** Names of the exceptions that can be taken here. */
  possibleExceptions(): readonly string[] {
    return kindNames(this.line.possibleKinds());
  }

  /** Take an exception, by its name. */
  takeException(name: string): Answer {
    const kind = KIND_NAMES.findIndex((known) => known === name);
    const stop = this.line.interrupt(kind);
    return stop.reason === 'moved'
      ? told(`${name} taken; step back undoes it, u then forgets it`)
      : refused(stop.detail);
  }

  forgetFuture(): Answer {
    const before = this.line.inputs.count;
    this.line.forgetFuture();
    const forgotten = before - this.line.inputs.count;
    return forgotten === 0
      ? refused('no exception was taken from here on')
      : told(`forgotten: ${forgotten} exception${forgotten === 1 ? '' : 's'} taken from here on`);
  }

  switchPolicy(by: number): Answer {
    const next = (NAMES.indexOf(this.policy.name) + by + NAMES.length) % NAMES.length;
    this.policy = POLICIES[NAMES[next] ?? this.policy.name];
    return told(`policy ${this.policy.name}`);
  }

  switchKind(by: number): Answer {
    const next = (ASKERS.indexOf(this.asker) + by + ASKERS.length) % ASKERS.length;
    this.asker = ASKERS[next] ?? 'direct';
    return told(`the walk is asked for by ${this.askerName}`);
  }

  switchMode(): Answer {
    this.mode = this.mode === 'reliable' ? 'best-effort' : 'reliable';
    return told(`${this.mode} walk`);
  }

  toggleBreakpoint(address: Address): Answer {
    const where = this.line.machine.symbols.format(address);
    const toggled = this.stops.toggle(address);
    if (!toggled.ok) return refused(`${where}: ${toggled.error}`);
    return told(toggled.value ? `breakpoint at ${where}` : `breakpoint at ${where} cleared`);
  }

  private get askerName(): string {
    return this.asker === 'direct' ? 'the scenario itself' : (KIND_NAMES[this.asker] ?? '?');
  }

  private get question(): string {
    const kind = this.asker === 'direct' ? 'direct' : this.askerName;
    const mode = this.mode === 'reliable' ? '' : `, ${this.mode}`;
    return `policy ${this.policy.name}, kind ${kind}${mode}`;
  }

  private afterStep(stop: Stop, direction: Direction, from: number): Answer {
    if (this.line.position !== from) return SILENT;
    if (direction === 'back') return refused('at the beginning: cannot step back');
    return stop.detail === '' ? refused('at the end: the scenario is done') : refused(stop.detail);
  }

  /** Run, and stay where the run ends. */
  private async run(
    test: StopTest,
    direction: Direction,
    follower: Follower,
    none: string,
  ): Promise<Answer> {
    const stop = await longRun(this.line, this.stops.test(test), direction, follower);
    this.line.settle();
    if (stop.reason === 'hit') return told(this.stops.reason(direction === 'back'));
    if (stop.reason === 'cancelled') return refused('stopped by a key');
    if (stop.detail !== '') return refused(`${none}: ${stop.detail}`);
    return refused(`${none}: this is the ${direction === 'forward' ? 'end' : 'beginning'}`);
  }

  /** Run, and come back when nothing is found. */
  private async search(
    test: StopTest,
    direction: Direction,
    follower: Follower,
    none: string,
  ): Promise<Answer> {
    const { position } = this.line;
    const stop = await longRun(this.line, this.stops.test(test), direction, follower);
    this.line.settle();
    if (stop.reason === 'hit') return told(this.stops.reason(direction === 'back'));
    if (stop.reason === 'cancelled') return refused('stopped by a key; nothing found so far');
    this.line.goTo(position);
    return refused(stop.detail === '' ? none : `${none}: ${stop.detail}`);
  }
}

function side(direction: Direction): string {
  return direction === 'forward' ? 'after' : 'before';
}
