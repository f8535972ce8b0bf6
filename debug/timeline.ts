/**
 * One scenario on one machine, as a line of positions that can be walked in both directions. Going
 * back restores a snapshot and executes again. Both are exact, so a position is always the same
 * machine state, however it was reached.
 *
 * A **position** is the number of steps made since the thread's first instruction. A step either
 * executes an instruction or takes an exception that the user asked for. A breakpoint that traps
 * and the firmware's completion of an SDEI event count as instructions. Exceptions that the user
 * asked for and edits of registers and memory are *inputs*: re-execution repeats them. An edit
 * belongs to the state at its position. A new input drops all inputs recorded after it, because
 * they belonged to another future.
 */
import type { Address } from '../base/address.js';
import type { RegisterFile } from '../emulator/registers.js';
import { fail, ok, type Result } from '../base/result.js';
import type { GroundTruth } from '../kernel-model/ground-truth.js';
import type { Scenario } from '../scenarios/scenario.js';
import { Experiment } from '../lab/experiment.js';
import { describeSetupError } from '../lab/scenario-setup.js';
import type { LabParts } from '../lab/lab-parts.js';
import type { Edit } from './inputs.js';
import { Replay, type ReplayOptions } from './replay.js';
import { HIT, LIMIT, type RunLimit, START, type Stop, type StopTest } from './stop.js';

/** A scenario that can be stepped forwards and backwards. Owns the machine while in use. */
export class Timeline extends Replay {
  /** Registers at the position before the last single step. */
  private before: { readonly position: number; readonly words: Uint32Array } | undefined;

  private constructor(
    readonly scenario: Scenario,
    experiment: Experiment,
    entry: Address,
    options: ReplayOptions,
  ) {
    super(experiment, entry, options);
  }

  /** Set a scenario up, and stop before its thread's first instruction. The error is one line. */
  static start(
    parts: LabParts,
    scenario: Scenario,
    options: ReplayOptions = {},
  ): Result<Timeline, string> {
    const experiment = new Experiment(parts);
    const entry = experiment.setUp(scenario, options.stackShift);
    if (typeof entry !== 'number') return fail(describeSetupError(entry));
    return ok(new Timeline(scenario, experiment, entry, options));
  }

  get parts(): LabParts {
    return this.experiment.parts;
  }

  /** Truth about the calls pending here. */
  get truth(): GroundTruth {
    return this.experiment.groundTruth;
  }

  /**
   * All registers as they are now, including system registers. Do not write to them: use
   * {@link edit}.
   */
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
    const stop = this.forward(from + 1);
    if (this.position === from + 1) this.before = { position: from, words: before };
    return stop;
  }

  /**
   * The registers before the step that led here (words of a `RegisterFile`), or undefined at the
   * start. Steps back and forth to find them if necessary.
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
    return this.forward(this.position + steps);
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

  /** Run forward until a test hits, for at least one step. */
  run(test: StopTest, limit: RunLimit = {}): Stop {
    const last = this.position + (limit.steps ?? Infinity);
    test.begin?.();
    while (this.position < last) {
      const stop = this.advance();
      if (stop !== undefined) return stop;
      if (test.after?.() === true || test.here?.() === true) return HIT;
    }
    return LIMIT;
  }

  /**
   * Run back until a test hits: to the last earlier position where `here` does, or to before the
   * last step for which `after` does. Segments between snapshots are executed again, the latest
   * first.
   */
  runBack(test: StopTest, limit: RunLimit = {}): Stop {
    const lowest = Math.max(0, this.position - (limit.steps ?? Infinity));
    const from = this.position;
    let end = from;
    while (end > lowest) {
      const begin = Math.max(lowest, this.cheapStart(end));
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

  /** The last position in `[begin, end)` at which a test stops, or -1. */
  private lastHit(test: StopTest, begin: number, end: number): number {
    let found = -1;
    this.goTo(begin);
    test.begin?.();
    while (this.position < end) {
      const position = this.position;
      if (test.here?.() === true) found = position;
      if (this.advance() !== undefined) break;
      if (test.after?.() === true) found = position;
    }
    return found;
  }

  /**
   * Take an exception here, as the next step.
   * @param kind index in `KIND_NAMES`
   * @returns `problem` when hardware could not deliver it here
   */
  interrupt(kind: number): Stop {
    if ((this.possibleKinds() & (1 << kind)) === 0) {
      return { reason: 'problem', detail: 'that exception is not possible here' };
    }
    this.before = undefined;
    this.recordInterrupt(kind);
    return this.step();
  }

  /**
   * Change a register or bytes of writable memory here. Re-execution repeats the change. Code
   * cannot be changed, because all engines hold translations of it. The error is one line.
   */
  edit(edit: Edit): Result<void, string> {
    const refusal = this.recordEdit(edit);
    if (refusal !== undefined) return fail(refusal);
    this.before = undefined;
    return ok(undefined);
  }

  /** Bytes of guest memory, or undefined when not all of them are mapped in one region. */
  readMemory(address: Address, length: number): Uint8Array | undefined {
    const region = this.machine.memory.regionAt(address);
    if (region === undefined || length < 0 || address + length > region.high) return undefined;
    const from = address - region.low;
    return region.bytes.slice(from, from + length);
  }
}
