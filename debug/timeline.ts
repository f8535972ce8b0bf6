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
import { createHash } from 'node:crypto';
import type { Address } from '../emulator/address.js';
import { Permission } from '../emulator/engine.js';
import { ExclusiveEffect, exclusiveEffect } from '../emulator/exclusive.js';
import { Reg, type RegisterFile, SYSTEM_REGISTERS } from '../emulator/registers.js';
import { fail, ok, type Result } from '../emulator/result.js';
import { type CpuState, readCpuState, writeCpuState } from '../emulator/snapshot.js';
import type { GroundTruth, TruthDefect } from '../kernel-model/ground-truth.js';
import { InterruptibleCpu, type InterruptibleCpuState } from '../kernel-model/interruptible-cpu.js';
import type { Machine } from '../kernel-model/machine.js';
import { ScenarioCpu } from '../kernel-model/scenario-cpu.js';
import type { Scenario } from '../scenarios/scenario.js';
import { describeSetupError, setUpScenario } from '../sweep/scenario-setup.js';
import type { SweepParts } from '../sweep/sweep-parts.js';
import type { Policy } from '../unwinder/policy.js';
import { type Edit, Inputs } from './inputs.js';
import { type MemoryImage, WritableMemory } from './memory-image.js';
import type { Place } from './place.js';
import { Snapshots } from './snapshots.js';
import { WalkAnswer } from './walk-answer.js';

/** Steps between two snapshots, to begin with: about 2 ms of execution. */
const INTERVAL = 1024;
/** A re-execution longer than this leaves a snapshot this far before its end. */
const NEAR = 128;
/** Steps after which a guest has run away. */
export const DEFAULT_BUDGET = 2_000_000;
/** Instructions after which a load-exclusive without its store is taken for abandoned. */
const EXCLUSIVE_WINDOW = 64;

/** How a scenario is run. */
export interface TimelineOptions {
  /** Positions there may be; default {@link DEFAULT_BUDGET}. */
  readonly budget?: number | undefined;
  /** Bytes by which the thread's stack begins lower, a multiple of 16 (the stacktrace tests). */
  readonly stackShift?: number | undefined;
  /**
   * Answer the scenario's own walk requests by this policy: the guest then sees what the walk
   * returned. Absent: requests return what the guest's memory says.
   */
  readonly answer?: Policy | undefined;
  readonly truthDefect?: TruthDefect | undefined;
  /** Steps between two snapshots; tests make it small. */
  readonly interval?: number | undefined;
}

/**
 * Why the timeline is where it is now.
 * - `moved`: as far as was asked for.
 * - `hit`: a stop test answered.
 * - `start`: at position 0, which is as far as one can go back.
 * - `end`: the thread is done.
 * - `limit`: the steps allowed for one search were made, nothing was found so far.
 * - `runaway`: the budget is used up.
 * - `problem`: the next instruction cannot be executed; `detail` is one line on why.
 */
export interface Stop {
  readonly reason: 'moved' | 'hit' | 'start' | 'end' | 'limit' | 'runaway' | 'problem';
  /** One line for `runaway` and `problem`, else empty. */
  readonly detail: string;
}

/** What a run is stopped by. Tests are asked at every position: they must be cheap and change nothing. */
export interface StopTest {
  /** Whether to stop at the state of this position. */
  readonly here?: () => boolean;
  /** Called before the first step of a stretch that {@link after} is asked about. */
  readonly begin?: () => void;
  /**
   * Whether the step just made is one to stop for (a watched word has changed, ...). Running forward
   * ends after that step, running back before it.
   */
  readonly after?: () => boolean;
}

/** Limits of one search, so that a caller can look for a Ctrl-C in between. */
export interface RunLimit {
  /** Steps to make, or to look back over, at most. */
  readonly steps?: number;
}

/** Progress of the scenario, counted as the sweep does. */
interface Progress {
  /** The scenario's dynamic instruction, -1 before its entry function. */
  index: number;
  /** Pending calls when the entry function began, -1 before. */
  depthAtEntry: number;
  /** The entry function has returned. */
  returned: boolean;
  /** Instructions executed in each exception taken, outermost first. */
  inner: number[];
}

interface TimelineSnapshot {
  readonly position: number;
  readonly cpu: CpuState;
  readonly memory: MemoryImage;
  readonly kernel: InterruptibleCpuState;
  readonly progress: Progress;
}

const MOVED: Stop = { reason: 'moved', detail: '' };
const HIT: Stop = { reason: 'hit', detail: '' };
const START: Stop = { reason: 'start', detail: '' };
const END: Stop = { reason: 'end', detail: '' };
const LIMIT: Stop = { reason: 'limit', detail: '' };

/** A scenario that can be stepped forwards and backwards. Owns the machine while it is used. */
export class Timeline {
  readonly inputs = new Inputs();
  readonly cpu: InterruptibleCpu;
  /** Task that handlers walk instead of the current one, or 0. */
  readonly walkedTask: Address;
  private at = 0;
  private progress: Progress = { index: -1, depthAtEntry: -1, returned: false, inner: [] };
  private readonly memory: WritableMemory;
  private readonly snapshots: Snapshots<TimelineSnapshot>;
  private readonly budget: number;
  private readonly answer: WalkAnswer | undefined;
  /** Position from which on a snapshot is due. */
  private due = 0;
  /** Instructions since a load-exclusive whose store is still to come; 0 for none. */
  private exclusive = 0;
  /** Memory is not what it should be here: a scan has taken exceptions without cleaning up. */
  private tainted = false;
  /** Registers at the position before the last single step. */
  private before: { readonly position: number; readonly words: Uint32Array } | undefined;
  /** What made the last step fail. */
  private problem = '';

  private constructor(
    readonly parts: SweepParts,
    readonly scenario: Scenario,
    /** First instruction of the scenario's entry function. */
    readonly entry: Address,
    options: TimelineOptions,
  ) {
    const { machine, stacks, driver, walker } = parts;
    const scenarioCpu = new ScenarioCpu(machine, stacks, options.truthDefect);
    this.cpu = new InterruptibleCpu(machine, scenarioCpu, driver.source);
    driver.reset();
    this.cpu.reset();
    const shift = options.stackShift ?? 0;
    if (shift !== 0) {
      machine.stepper.registers.set(Reg.SP, machine.stepper.registers.get(Reg.SP) - shift);
      machine.stepper.writeBack();
    }
    this.walkedTask = machine.memory.readAddress(machine.kernel.roles.walkTask) ?? 0;
    this.budget = options.budget ?? DEFAULT_BUDGET;
    this.answer =
      options.answer === undefined ? undefined : new WalkAnswer(machine, walker, options.answer);
    this.memory = new WritableMemory(machine.memory);
    this.snapshots = new Snapshots(options.interval ?? INTERVAL);
    this.noteEntry();
    this.keepSnapshot();
  }

  /** Set a scenario up and stand before its thread's first instruction. The error is one line. */
  static start(
    parts: SweepParts,
    scenario: Scenario,
    options: TimelineOptions = {},
  ): Result<Timeline, string> {
    const entry = setUpScenario(parts.machine, scenario);
    if (typeof entry !== 'number') return fail(describeSetupError(entry));
    return ok(new Timeline(parts, scenario, entry, options));
  }

  get machine(): Machine {
    return this.parts.machine;
  }

  /** Truth about the calls pending here. */
  get truth(): GroundTruth {
    return this.cpu.scenario.truth;
  }

  /** Steps made since the thread's first instruction. */
  get position(): number {
    return this.at;
  }

  /** Address of the instruction that the next step executes. */
  get pc(): Address {
    return this.machine.stepper.pc;
  }

  /** Whether the thread is done: there is no next step. */
  get isAtEnd(): boolean {
    return this.pc === this.machine.kernel.roles.threadDone && this.cpu.depth === 0;
  }

  /** Where this is in the scenario. */
  get place(): Place {
    const { index, returned, inner } = this.progress;
    return {
      index: index < 0 || returned ? undefined : index,
      levels: inner.map((count, level) => ({ kind: this.cpu.kindAt(level), index: count })),
    };
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
    const from = this.at;
    const before = this.registers().words.slice();
    const stop = this.forward(from + 1);
    if (this.at === from + 1) this.before = { position: from, words: before };
    return stop;
  }

  /**
   * The registers before the step that led here (words of a `RegisterFile`), or undefined at the
   * start. Goes back and forth where that is not known.
   */
  registersBefore(): Uint32Array | undefined {
    const { at } = this;
    if (at === 0) return undefined;
    if (this.before?.position !== at - 1) {
      this.goTo(at - 1);
      this.step();
    }
    return this.before?.words;
  }

  /** Make `steps` steps, or as many as there are. */
  stepForward(steps: number): Stop {
    return this.forward(this.at + steps);
  }

  /** Undo one step. */
  stepBack(): Stop {
    return this.goBack(1);
  }

  /** Undo `steps` steps, or as many as there are. */
  goBack(steps: number): Stop {
    if (this.at === 0) return START;
    const target = Math.max(0, this.at - steps);
    const stop = this.goTo(target);
    return stop.reason === 'moved' && steps > 0 && target === 0 ? START : stop;
  }

  /** Go to a position, or as near as there is one. */
  goTo(position: number): Stop {
    const target = Math.max(0, position);
    const snapshot = this.snapshots.atOrBefore(target);
    if (snapshot !== undefined) {
      const stay = !this.tainted && this.at <= target && snapshot.position <= this.at;
      if (!stay) this.restore(snapshot);
    }
    if (target - this.at <= 2 * NEAR) return this.forward(target);
    const stop = this.forward(target - NEAR);
    if (stop.reason !== 'moved') return stop;
    if (this.exclusive === 0) this.snapshots.addNear(this.takeSnapshot());
    return this.forward(target);
  }

  /** Run forward until a test answers, at least one step. */
  run(test: StopTest, limit: RunLimit = {}): Stop {
    const last = this.at + (limit.steps ?? Infinity);
    test.begin?.();
    while (this.at < last) {
      const stop = this.advance();
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
    const lowest = Math.max(0, this.at - (limit.steps ?? Infinity));
    const from = this.at;
    let end = from;
    while (end > lowest) {
      const begin = Math.max(lowest, this.snapshots.atOrBefore(end - 1)?.position ?? 0);
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
    while (this.at < end) {
      const position = this.at;
      if (test.here?.() === true) found = position;
      if (this.advance() !== undefined) break;
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
    this.settle();
    this.before = undefined;
    this.inputs.recordInterrupt(this.at, kind);
    this.snapshots.dropFrom(this.at + 1);
    return this.step();
  }

  /**
   * Change a register or bytes of writable memory here; re-execution repeats it. Code cannot be
   * changed: all engines hold translations of it. The error is one line.
   */
  edit(edit: Edit): Result<void, string> {
    this.settle();
    if (edit.kind === 'memory') {
      const region = this.machine.memory.regionAt(edit.address);
      const end = edit.address + edit.bytes.length;
      if (region === undefined || end > region.high) return fail('no memory there');
      if ((region.permissions & Permission.WRITE) === 0) return fail('that memory is read-only');
    }
    this.before = undefined;
    this.inputs.recordEdit(this.at, edit);
    this.snapshots.dropFrom(Math.max(1, this.at));
    const first = this.at === 0;
    this.apply(edit);
    if (first) {
      this.snapshots.dropFrom(0);
      this.keepSnapshot();
    }
    return ok(undefined);
  }

  /** Drop the inputs after this position: exceptions taken from here on, and later edits. */
  forgetFuture(): void {
    this.settle();
    this.inputs.dropAfter(this.at);
    this.snapshots.dropFrom(this.at + 1);
  }

  /** Bytes of guest memory, or undefined where not all of them are mapped in one region. */
  readMemory(address: Address, length: number): Uint8Array | undefined {
    const region = this.machine.memory.regionAt(address);
    if (region === undefined || length < 0 || address + length > region.high) return undefined;
    const from = address - region.low;
    return region.bytes.slice(from, from + length);
  }

  /** Execute up to a position, from here. */
  private forward(target: number): Stop {
    while (this.at < target) {
      const stop = this.advance();
      if (stop !== undefined) return stop;
    }
    return MOVED;
  }

  /** One step. Undefined when it was made. */
  private advance(): Stop | undefined {
    const { inputs, cpu, progress } = this;
    if (this.isAtEnd) return END;
    if (this.at >= this.budget) {
      return { reason: 'runaway', detail: `${this.budget} steps were made: the guest runs away` };
    }
    const kind = inputs.interruptAt(this.at);
    if (kind >= 0) {
      cpu.take(kind);
      progress.inner.push(0);
    } else {
      this.answer?.beforeStep();
      const level = cpu.depth - 1;
      if (!cpu.step()) return this.stuck();
      this.noteExclusive();
      if (level >= 0) progress.inner[level] = (progress.inner[level] ?? 0) + 1;
      else if (progress.index >= 0 && !progress.returned) progress.index++;
      progress.inner.length = cpu.depth;
    }
    this.at++;
    this.noteEntry();
    if (inputs.count > 0) for (const edit of inputs.editsAt(this.at)) this.apply(edit);
    if (this.at >= this.due && !this.tainted && this.exclusive === 0) this.snapshotIfDue();
    return undefined;
  }

  /** The scenario begins at its entry function, and is over when that returns. */
  private noteEntry(): void {
    const { progress, cpu } = this;
    if (cpu.depth > 0) return;
    const home = this.truth.ofTask(this.machine.kernel.roles.initTask);
    if (progress.depthAtEntry < 0 && this.pc === this.entry) {
      progress.depthAtEntry = home.depth;
      progress.index = 0;
    }
    if (progress.depthAtEntry >= 0 && home.depth < progress.depthAtEntry) progress.returned = true;
  }

  /** The step could not be made, and may have left half of its effects: come here again. */
  private stuck(): Stop {
    const { problem } = this.cpu.scenario;
    this.problem = problem;
    const target = this.at;
    const snapshot = this.snapshots.atOrBefore(target);
    if (snapshot !== undefined) {
      this.restore(snapshot);
      while (this.at < target && this.advance() === undefined);
    }
    return { reason: 'problem', detail: this.problem };
  }

  /** An open exclusive monitor is not part of a snapshot, so none is taken while there is one. */
  private noteExclusive(): void {
    const effect = exclusiveEffect(this.machine.stepper.instructionWord);
    if (effect === ExclusiveEffect.OPENS) this.exclusive = 1;
    else if (effect === ExclusiveEffect.CLOSES) this.exclusive = 0;
    else if (this.exclusive > 0 && ++this.exclusive > EXCLUSIVE_WINDOW) this.exclusive = 0;
  }

  private snapshotIfDue(): void {
    const known = this.snapshots.atOrBefore(this.at)?.position ?? -Infinity;
    if (this.at - known >= this.snapshots.interval) this.keepSnapshot();
    else this.due = known + this.snapshots.interval;
  }

  private keepSnapshot(): void {
    this.snapshots.add(this.takeSnapshot());
    this.due = this.at + this.snapshots.interval;
  }

  private takeSnapshot(): TimelineSnapshot {
    const base = this.snapshots.atOrBefore(this.at);
    return {
      position: this.at,
      cpu: readCpuState(this.machine.stepper.engine),
      memory: this.memory.capture(base?.memory),
      kernel: this.cpu.save(),
      progress: copyProgress(this.progress),
    };
  }

  private restore(snapshot: TimelineSnapshot): void {
    const { stepper } = this.machine;
    this.memory.restore(snapshot.memory);
    writeCpuState(stepper.engine, snapshot.cpu);
    stepper.registers.words.set(snapshot.cpu.registers);
    this.cpu.restore(snapshot.kernel);
    this.progress = copyProgress(snapshot.progress);
    this.at = snapshot.position;
    this.due = snapshot.position + this.snapshots.interval;
    this.exclusive = 0;
    this.tainted = false;
  }

  private apply(edit: Edit): void {
    const { stepper, memory } = this.machine;
    switch (edit.kind) {
      case 'memory':
        memory.writeBytes(edit.address, edit.bytes);
        break;
      case 'register':
        stepper.readAll();
        stepper.registers.words[2 * edit.index] = edit.low;
        stepper.registers.words[2 * edit.index + 1] = edit.high;
        stepper.writeBack();
        break;
      case 'vector':
        stepper.engine.writeVector(edit.index, edit.bytes);
        break;
      case 'system': {
        const words = new Uint32Array(2 * SYSTEM_REGISTERS.length);
        stepper.engine.readSystem(words);
        words[2 * edit.index] = edit.low;
        words[2 * edit.index + 1] = edit.high;
        stepper.engine.writeSystem(words);
        break;
      }
    }
  }

  /**
   * Let something disturb memory (an exception on the other engines), and put memory back as it was.
   * @see evaluate.ts
   */
  undisturbed<T>(use: () => T): T {
    this.settle();
    const before = this.memory.capture(this.snapshots.atOrBefore(this.at)?.memory);
    try {
      return use();
    } finally {
      this.memory.restore(before);
    }
  }

  /**
   * Begin a search that disturbs memory at every position, as a sweep does. It ends with
   * {@link settle} or by going somewhere. No snapshots are taken until then.
   */
  taint(): void {
    this.tainted = true;
  }

  /** Have the memory of this position again after {@link taint}. */
  settle(): void {
    if (this.tainted) this.goTo(this.at);
  }

  /** Memory that snapshots take, and how many there are. */
  usage(): { readonly snapshots: number; readonly bytes: number; readonly interval: number } {
    const { count, bytes, interval } = this.snapshots;
    return { snapshots: count, bytes, interval };
  }

  /** A hash of the whole state: all registers, writable memory, truth, and what is being handled. */
  fingerprint(): string {
    this.settle();
    const hash = createHash('sha256');
    const { registers, vectors, system } = readCpuState(this.machine.stepper.engine);
    hash.update(registers).update(vectors).update(system);
    for (const bytes of this.memory.bytes()) hash.update(bytes);
    const { scenario, taken } = this.cpu.save();
    const tasks = [...scenario.truth.stacks].sort((a, b) => a.task - b.task);
    hash.update(JSON.stringify([scenario.truth.currentTask, scenario.depths, scenario.addresses]));
    for (const { task, addresses, sps, kinds } of tasks) {
      hash.update(`${task} ${addresses.length}`).update(addresses).update(sps).update(kinds);
    }
    for (const { kind, depth, interrupted } of taken) {
      hash.update(`${kind} ${depth}`).update(interrupted);
    }
    return hash.update(JSON.stringify([this.at, this.progress])).digest('hex');
  }
}

function copyProgress({ index, depthAtEntry, returned, inner }: Progress): Progress {
  return { index, depthAtEntry, returned, inner: [...inner] };
}
