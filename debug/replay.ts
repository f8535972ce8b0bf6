/**
 * Executes a scenario from any position to any later one, the same way each time. To go back, it
 * restores a snapshot and executes again. timeline.ts explains positions and inputs.
 */
import { plural } from '../base/number-text.js';
import type { Address } from '../base/address.js';
import { ExclusiveEffect, exclusiveEffect } from '../aarch64/exclusive.js';
import type { InterruptibleCpu } from '../kernel-model/interruptible-cpu.js';
import type { Machine } from '../kernel-model/machine.js';
import type { Experiment } from '../lab/experiment.js';
import type { Policy } from '../unwinder/policy.js';
import { WalkResult } from '../unwinder/walk-result.js';
import { type Edit, Inputs } from './inputs.js';
import { type MachineImage, MachineState } from './machine-state.js';
import type { Place } from './place.js';
import { Progress } from './progress.js';
import { Snapshots } from './snapshots.js';
import { END, MOVED, type Stop } from './stop.js';

/** Steps between two snapshots at first: about 2 ms of execution. */
const INTERVAL = 1024;
/** A long re-execution leaves a snapshot this many steps before its end. */
const NEAR = 128;
/** Steps after which a guest counts as runaway. */
const DEFAULT_BUDGET = 2_000_000;
/** After this many instructions, a load-exclusive without its store counts as abandoned. */
const EXCLUSIVE_WINDOW = 64;

/** How a scenario is run. */
export interface ReplayOptions {
  /** Most steps; default {@link DEFAULT_BUDGET}. */
  readonly budget?: number | undefined;
  /** Bytes by which the thread's stack begins lower, a multiple of 16 (the stacktrace tests). */
  readonly stackShift?: number | undefined;
  /**
   * Answer the scenario's own walk requests by this policy, so that the guest sees what the walk
   * returns. Absent: a request returns what the guest's memory says.
   */
  readonly answer?: Policy | undefined;
  /** Steps between two snapshots. Tests set it low. */
  readonly interval?: number | undefined;
}

interface Snapshot extends MachineImage {
  readonly position: number;
}

/** The run of a scenario that has been set up. Owns the machine while in use. */
export abstract class Replay {
  /** Exceptions that the user has taken, and edits, by position. */
  readonly inputs = new Inputs();
  readonly cpu: InterruptibleCpu;
  readonly machine: Machine;
  private readonly progress: Progress;
  private readonly state: MachineState;
  private readonly snapshots: Snapshots<Snapshot>;
  private readonly budget: number;
  private readonly answer: Policy | undefined;
  private readonly walk = new WalkResult();
  private at = 0;
  /** The next snapshot is due at this position. */
  private due = 0;
  /** Instructions since a load-exclusive whose store has not come yet; 0 for none. */
  private exclusive = 0;
  /**
   * A search has taken exceptions without cleaning up, so memory differs from what it should be.
   */
  private tainted = false;

  /** @param entry first instruction of the scenario's entry function */
  protected constructor(
    readonly experiment: Experiment,
    entry: Address,
    options: ReplayOptions,
  ) {
    const { machine } = experiment.parts;
    this.machine = machine;
    this.cpu = experiment.cpu;
    this.budget = options.budget ?? DEFAULT_BUDGET;
    this.answer = options.answer;
    this.progress = new Progress(this.cpu, entry, machine.kernel.roles.initTask);
    this.state = new MachineState(machine, this.cpu, this.progress);
    this.snapshots = new Snapshots(options.interval ?? INTERVAL);
    this.progress.noteEntry(this.pc);
    this.keepSnapshot();
  }

  /** Number of steps made since the thread's first instruction. */
  get position(): number {
    return this.at;
  }

  /** Address of the instruction that the next step executes. */
  get pc(): Address {
    return this.machine.stepper.pc;
  }

  /** Whether the thread is done, so that there is no next step. */
  get isAtEnd(): boolean {
    return this.pc === this.machine.kernel.roles.threadDone && this.cpu.depth === 0;
  }

  /** Where in the scenario this position is. */
  get place(): Place {
    return this.progress.place;
  }

  /** Go to a position, or to the nearest one that exists. */
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

  /** Execute up to a position, from here. */
  protected forward(target: number): Stop {
    while (this.at < target) {
      const stop = this.advance();
      if (stop !== undefined) return stop;
    }
    return MOVED;
  }

  /** One step. Undefined when it was made. */
  protected advance(): Stop | undefined {
    const { inputs, cpu, progress } = this;
    if (this.isAtEnd) return END;
    if (this.at >= this.budget) {
      return {
        reason: 'runaway',
        detail: `the guest ran away: ${plural(this.budget, 'step')} ${this.budget === 1 ? 'was' : 'were'} made`,
      };
    }
    const kind = inputs.interruptAt(this.at);
    if (kind >= 0) {
      cpu.take(kind);
      progress.exceptionTaken();
    } else {
      if (this.answer !== undefined && this.experiment.isAtRequest) this.answerRequest(this.answer);
      const { depth } = cpu;
      if (!cpu.step()) return this.stuck();
      this.noteExclusive();
      progress.stepped(depth);
    }
    this.at++;
    progress.noteEntry(this.pc);
    if (inputs.count > 0) for (const edit of inputs.editsAt(this.at)) this.state.apply(edit);
    if (this.at >= this.due && !this.tainted && this.exclusive === 0) this.snapshotIfDue();
    return undefined;
  }

  /** The last position before another that re-execution can start from cheaply. */
  protected cheapStart(before: number): number {
    return this.snapshots.atOrBefore(before - 1)?.position ?? 0;
  }

  /** Record an exception here as the next step. It must be possible; the caller makes the step. */
  protected recordInterrupt(kind: number): void {
    this.settle();
    this.inputs.recordInterrupt(this.at, kind);
    this.snapshots.dropFrom(this.at + 1);
  }

  /** Make an edit here. @returns why it cannot be made, in one line; undefined when it was made */
  protected recordEdit(edit: Edit): string | undefined {
    this.settle();
    const refusal = this.state.refuses(edit);
    if (refusal !== undefined) return refusal;
    this.inputs.recordEdit(this.at, edit);
    this.snapshots.dropFrom(Math.max(1, this.at));
    this.state.apply(edit);
    // Position 0 always has a snapshot.
    if (this.at === 0) {
      this.snapshots.dropFrom(0);
      this.keepSnapshot();
    }
    return undefined;
  }

  /**
   * Drop the inputs after this position: exceptions taken from here on, and edits later than here.
   */
  forgetFuture(): void {
    this.settle();
    this.inputs.dropAfter(this.at);
    this.snapshots.dropFrom(this.at + 1);
  }

  /**
   * Let something disturb memory (an exception on the other engines), and restore it afterwards.
   * @see evaluate.ts
   */
  undisturbed<T>(use: () => T): T {
    this.settle();
    const { memory } = this.state;
    const before = memory.capture(this.snapshots.atOrBefore(this.at)?.memory);
    try {
      return use();
    } finally {
      memory.restore(before);
    }
  }

  /**
   * Begin a search that disturbs memory at every position, as a sweep does. It ends with
   * {@link settle} or {@link goTo}. No snapshots are taken until then.
   */
  taint(): void {
    this.tainted = true;
  }

  /** Restore the memory of this position after {@link taint}. */
  settle(): void {
    if (this.tainted) this.goTo(this.at);
  }

  /** Number of snapshots, the bytes of memory they hold, and the steps between two. */
  usage(): { readonly snapshots: number; readonly bytes: number; readonly interval: number } {
    const { count, bytes, interval } = this.snapshots;
    return { snapshots: count, bytes, interval };
  }

  /**
   * A hash of the whole state: all registers, writable memory, truth, and the exceptions being
   * handled.
   */
  fingerprint(): string {
    this.settle();
    return `${this.at} ${this.state.fingerprint()}`;
  }

  /** The step failed, and may have had half of its effects: re-execute up to here. */
  private stuck(): Stop {
    const { kind, detail: said } = this.experiment.explainStep();
    const unknown = kind === 'unknown-instruction';
    const problem = unknown ? `an instruction unknown to the engine: ${said}` : said;
    const target = this.at;
    const snapshot = this.snapshots.atOrBefore(target);
    if (snapshot !== undefined) {
      this.restore(snapshot);
      this.forward(target);
    }
    return { reason: 'problem', detail: problem };
  }

  /** A snapshot cannot hold an open exclusive monitor, so none is taken while one is open. */
  private noteExclusive(): void {
    const effect = exclusiveEffect(this.machine.stepper.instructionWord);
    if (effect === ExclusiveEffect.OPENS) this.exclusive = 1;
    else if (effect === ExclusiveEffect.CLOSES) this.exclusive = 0;
    else if (this.exclusive > 0 && ++this.exclusive > EXCLUSIVE_WINDOW) this.exclusive = 0;
  }

  /** Make the walk that the scenario itself asks for, so that the guest sees what it returned. */
  private answerRequest(policy: Policy): void {
    const { experiment, walk } = this;
    if (!experiment.enterRequest()) return;
    experiment.parts.model.walk(policy, 'reliable', walk);
    experiment.answerRequest(walk);
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

  private takeSnapshot(): Snapshot {
    const base = this.snapshots.atOrBefore(this.at);
    return { position: this.at, ...this.state.capture(base?.memory) };
  }

  private restore(snapshot: Snapshot): void {
    this.state.restore(snapshot);
    this.at = snapshot.position;
    this.due = snapshot.position + this.snapshots.interval;
    this.exclusive = 0;
    this.tainted = false;
  }
}
