/**
 * One scenario on one machine as a line of positions that can be walked in both directions. Going
 * back is restoring a snapshot and executing again; both are exact, so a position always is the same
 * machine state, whichever way it was reached.
 *
 * A **position** is the number of steps made since the thread's first instruction. A step is an
 * executed instruction (a breakpoint that traps and the firmware's completion of an SDEI event
 * included), or the taking of an exception that the user asked for. Such an exception and edits of
 * registers and memory are *inputs*: re-execution repeats them. An edit belongs to the state at its
 * position. A new input drops all inputs recorded after it, for they spoke of another future.
 */
import type { Address } from '../base/address.js';
import type { RegisterFile } from '../emulator/registers.js';
import { fail, ok, type Result } from '../base/result.js';
import type { GroundTruth } from '../kernel-model/ground-truth.js';
import type { InterruptibleCpu } from '../kernel-model/interruptible-cpu.js';
import type { Machine } from '../kernel-model/machine.js';
import type { Scenario } from '../scenarios/scenario.js';
import { describeSetupError, setUpScenario } from '../lab/scenario-setup.js';
import type { LabParts } from '../lab/lab-parts.js';
import type { Edit, Inputs } from './inputs.js';
import type { Place } from './place.js';
import { Replay, type ReplayOptions } from './replay.js';
import { HIT, LIMIT, type RunLimit, START, type Stop, type StopTest } from './stop.js';

/** A scenario that can be stepped forwards and backwards. Owns the machine while it is used. */
export class Timeline {
  /** Task that handlers walk instead of the current one, or 0. */
  readonly walkedTask: Address;
  /** Registers at the position before the last single step. */
  private before: { readonly position: number; readonly words: Uint32Array } | undefined;

  private constructor(
    readonly parts: LabParts,
    readonly scenario: Scenario,
    private readonly replay: Replay,
  ) {
    const { memory, kernel } = parts.machine;
    this.walkedTask = memory.readAddress(kernel.roles.walkTask) ?? 0;
  }

  /** Set a scenario up and stand before its thread's first instruction. The error is one line. */
  static start(
    parts: LabParts,
    scenario: Scenario,
    options: ReplayOptions = {},
  ): Result<Timeline, string> {
    const entry = setUpScenario(parts.machine, scenario);
    if (typeof entry !== 'number') return fail(describeSetupError(entry));
    return ok(new Timeline(parts, scenario, new Replay(parts, entry, options)));
  }

  get machine(): Machine {
    return this.parts.machine;
  }

  get cpu(): InterruptibleCpu {
    return this.replay.cpu;
  }

  /** Exceptions that the user has taken, and edits, by position. */
  get inputs(): Inputs {
    return this.replay.inputs;
  }

  /** Truth about the calls pending here. */
  get truth(): GroundTruth {
    return this.cpu.scenario.truth;
  }

  /** Steps made since the thread's first instruction. */
  get position(): number {
    return this.replay.position;
  }

  /** Address of the instruction that the next step executes. */
  get pc(): Address {
    return this.replay.pc;
  }

  /** Whether the thread is done: there is no next step. */
  get isAtEnd(): boolean {
    return this.replay.isAtEnd;
  }

  /** Where this is in the scenario. */
  get place(): Place {
    return this.replay.progress.place;
  }

  /** All registers as they are now, the system registers included. To be read only: see {@link edit}. */
  registers(): RegisterFile {
    this.machine.stepper.readAll();
    return this.machine.stepper.registers;
  }

  /** Kinds of exception that can be taken here, as bits `1 << Kind`. None at the end. */
  possibleKinds(): number {
    if (this.isAtEnd) return 0;
    return this.parts.driver.source.possible(this.machine.stepper.registers);
  }

  /** Make one step. */
  step(): Stop {
    const from = this.position;
    const before = this.registers().words.slice();
    const stop = this.replay.forward(from + 1);
    if (this.position === from + 1) this.before = { position: from, words: before };
    return stop;
  }

  /**
   * The registers before the step that led here (words of a `RegisterFile`), or undefined at the
   * start. Goes back and forth where that is not known.
   */
  registersBefore(): Uint32Array | undefined {
    const at = this.position;
    if (at === 0) return undefined;
    if (this.before?.position !== at - 1) {
      this.goTo(at - 1);
      this.step();
    }
    return this.before?.words;
  }

  /** Make `steps` steps, or as many as there are. */
  stepForward(steps: number): Stop {
    return this.replay.forward(this.position + steps);
  }

  /** Undo one step. */
  stepBack(): Stop {
    return this.goBack(1);
  }

  /** Undo `steps` steps, or as many as there are. */
  goBack(steps: number): Stop {
    if (this.position === 0) return START;
    const target = Math.max(0, this.position - steps);
    const stop = this.goTo(target);
    return stop.reason === 'moved' && steps > 0 && target === 0 ? START : stop;
  }

  /** Go to a position, or as near as there is one. */
  goTo(position: number): Stop {
    return this.replay.goTo(position);
  }

  /** Run forward until a test answers, at least one step. */
  run(test: StopTest, limit: RunLimit = {}): Stop {
    const last = this.position + (limit.steps ?? Infinity);
    test.begin?.();
    while (this.position < last) {
      const stop = this.replay.advance();
      if (stop !== undefined) return stop;
      if (test.after?.() === true || test.here?.() === true) return HIT;
    }
    return LIMIT;
  }

  /**
   * Run back until a test answers: to the last earlier position where `here` does, or to before the
   * last step for which `after` does. Segments between snapshots are executed again, the latest first.
   */
  runBack(test: StopTest, limit: RunLimit = {}): Stop {
    const lowest = Math.max(0, this.position - (limit.steps ?? Infinity));
    const from = this.position;
    let end = from;
    while (end > lowest) {
      const begin = Math.max(lowest, this.replay.cheapStart(end));
      const found = this.lastHit(test, begin, end);
      if (found >= 0) {
        this.goTo(found);
        return HIT;
      }
      end = begin;
    }
    this.goTo(lowest);
    return lowest === 0 ? START : LIMIT;
  }

  /** The last position in `[begin, end)` that a test stops at, or -1. */
  private lastHit(test: StopTest, begin: number, end: number): number {
    let found = -1;
    this.goTo(begin);
    test.begin?.();
    while (this.position < end) {
      const position = this.position;
      if (test.here?.() === true) found = position;
      if (this.replay.advance() !== undefined) break;
      if (test.after?.() === true) found = position;
    }
    return found;
  }

  /**
   * Take an exception here, as the next step. @param kind index in `KIND_NAMES`
   * @returns `problem` when the hardware could not deliver it here
   */
  interrupt(kind: number): Stop {
    if ((this.possibleKinds() & (1 << kind)) === 0) {
      return { reason: 'problem', detail: 'that exception is not possible here' };
    }
    this.before = undefined;
    this.replay.recordInterrupt(kind);
    return this.step();
  }

  /**
   * Change a register or bytes of writable memory here; re-execution repeats it. Code cannot be
   * changed: all engines hold translations of it. The error is one line.
   */
  edit(edit: Edit): Result<void, string> {
    const refusal = this.replay.edit(edit);
    if (refusal !== undefined) return fail(refusal);
    this.before = undefined;
    return ok(undefined);
  }

  /** Drop the inputs after this position: exceptions taken from here on, and later edits. */
  forgetFuture(): void {
    this.replay.forgetFuture();
  }

  /** Bytes of guest memory, or undefined where not all of them are mapped in one region. */
  readMemory(address: Address, length: number): Uint8Array | undefined {
    const region = this.machine.memory.regionAt(address);
    if (region === undefined || length < 0 || address + length > region.high) return undefined;
    const from = address - region.low;
    return region.bytes.slice(from, from + length);
  }

  /**
   * Let something disturb memory (an exception on the other engines), and put memory back as it was.
   * @see evaluate.ts
   */
  undisturbed<T>(use: () => T): T {
    return this.replay.undisturbed(use);
  }

  /**
   * Begin a search that disturbs memory at every position, as a sweep does. It ends with
   * {@link settle} or by going somewhere. No snapshots are taken until then.
   */
  taint(): void {
    this.replay.taint();
  }

  /** Have the memory of this position again after {@link taint}. */
  settle(): void {
    this.replay.settle();
  }

  /** Memory that snapshots take, and how many there are. */
  usage(): ReturnType<Replay['usage']> {
    return this.replay.usage();
  }

  /** A hash of the whole state: all registers, writable memory, truth, and what is being handled. */
  fingerprint(): string {
    return this.replay.fingerprint();
  }
}
