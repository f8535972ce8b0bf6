/**
 * Sweeps one scenario on one machine: steps through its code, takes every possible exception before
 * each instruction, lets every policy walk in both modes, judges, returns, and goes on.
 */
import type { Address } from '../emulator/address.js';
import { Reg } from '../emulator/registers.js';
import { DriverStatus, type ExceptionDriver } from '../kernel-model/exception-driver.js';
import { KIND_COUNT } from '../kernel-model/exception-kind.js';
import type { GroundTruth, TruthDefect } from '../kernel-model/ground-truth.js';
import { InterruptibleCpu } from '../kernel-model/interruptible-cpu.js';
import type { Machine } from '../kernel-model/machine.js';
import { ScenarioCpu } from '../kernel-model/scenario-cpu.js';
import type { KernelStacks } from '../kernel-model/stacks.js';
import type { WalkMode } from '../unwinder/kunwind.js';
import type { Policy } from '../unwinder/policy.js';
import type { RuleTable } from '../unwinder/rule-table.js';
import { WalkResult } from '../unwinder/walk-result.js';
import type { FunctionIndex } from './function-index.js';
import type { GuestWalker } from './guest-walker.js';
import type { KernelWalker } from './kernel-walker.js';
import type { Point } from './point.js';
import { truthAtRequest } from './point-truth.js';
import { RowCheck, type WrongRow } from './row-check.js';
import { type UnwinderChoice, type WalkDifference, walkDifference } from './stack-walker.js';
import {
  explainDriverStatus,
  explainKernelStop,
  isStop,
  registerChanged,
  type SweepProblem,
} from './sweep-problem.js';
import { MODES, type Tally } from './tally.js';
import { type Judge, TruthList, VerdictCode } from './verdict.js';

/** Everything a sweep works with, made once per machine. */
export interface SweepParts {
  readonly machine: Machine;
  readonly stacks: KernelStacks;
  readonly rules: RuleTable;
  readonly driver: ExceptionDriver;
  /** The model. */
  readonly walker: KernelWalker;
  /** The kernel image's own unwinder, if it has one. */
  readonly guest?: GuestWalker | undefined;
  readonly judge: Judge;
  readonly functions: FunctionIndex;
}

/** What is swept. */
export interface SweepRange {
  /** First instruction of the entry function. */
  readonly entry: Address;
  /** Dynamic instructions `[from, to)` of the scenario. */
  readonly from: number;
  readonly to: number;
  /** Kinds taken at depth 1, as bits. */
  readonly kinds: number;
  /** Kinds whose handling is itself interrupted (depth 2), as bits; 0 for none. */
  readonly outerKinds: number;
  /** Kinds taken there, and instructions `[innerFrom, innerTo)` of the handling, 0 the vector's first. */
  readonly innerKinds: number;
  readonly innerFrom: number;
  readonly innerTo: number;
  /** Instructions after which the guest has run away. */
  readonly budget: number;
}

/** Hears of what a caller may want to keep. Called rarely. */
export interface SweepObserver {
  /** A verdict other than exact came up for the first time in its cell. */
  example(cell: number, point: Point, context: PointContext): void;
  /** An SFrame row that the CPU contradicts; once an instruction. */
  wrongRow(row: WrongRow): void;
  /** The kernel's own unwinder and the model answer differently. */
  disagreement?(fn: number, depth: number, point: Point, disagreement: Disagreement): void;
  /** A WARN of a real kernel was passed, by the scenario itself or (with a point) in an exception. */
  warned?(address: Address, point: Point | undefined): void;
  /** Return false to give up. */
  problem(problem: SweepProblem): boolean;
  /** Any walk, when a single point is replayed. */
  readonly walked?: ((point: Point, context: PointContext) => void) | undefined;
}

/** A judged walk, while it lasts. */
export interface PointContext {
  readonly pc: Address;
  readonly policy: Policy;
  readonly mode: WalkMode;
  readonly verdict: number;
  readonly truth: TruthList;
  readonly walk: WalkResult;
}

/** Two answers to one walk request, while they last: that of the context is the kernel's. */
export interface Disagreement {
  readonly context: PointContext;
  readonly model: WalkResult;
  readonly difference: WalkDifference;
}

/** How {@link ScenarioSweep.run} ended. */
export interface SweepEnd {
  /** Dynamic instructions of the scenario that were executed inside the scope. */
  readonly instructions: number;
  /** The scope was left by the entry function's return (or the thread's end). */
  readonly finished: boolean;
  /** x0 when the entry function had just returned; undefined when it did not. */
  readonly result?: number;
  /** When a tracer's trampoline was reached: what is traced has returned into it. */
  readonly returnedToTracer?: true;
}

/** `checked` compares every so many'th instruction's points, of depth 1 and of depth 2. */
const CHECKED_INTERVAL = 16;
const CHECKED_INTERVAL_DEPTH_2 = 2048;

/** One scenario on one machine. The machine must be freshly set up: see scenario-setup.ts. */
export class ScenarioSweep {
  private readonly driver: ExceptionDriver;
  private readonly cpu: InterruptibleCpu;
  private readonly truthList = new TruthList();
  private readonly walk = new WalkResult();
  private readonly guestWalk = new WalkResult();
  private readonly rows: RowCheck;
  private outerIndex = 0;
  private outerKind = -1;
  private innerIndex = -1;
  /** The task that handlers have walked instead of the current one, or 0. */
  private walkedTask: Address = 0;
  /** A trampoline of function graph or of a kretprobe has been reached. */
  private trampolineReached = false;

  constructor(
    private readonly parts: SweepParts,
    private readonly policies: readonly Policy[],
    private readonly tally: Tally,
    private readonly observer: SweepObserver,
    truthDefect?: TruthDefect,
    private readonly unwinder: UnwinderChoice = 'model',
  ) {
    this.driver = parts.driver;
    this.rows = new RowCheck(parts.rules, parts.machine.memory);
    const { machine, stacks, driver } = parts;
    const scenario = new ScenarioCpu(machine, stacks, truthDefect);
    this.cpu = new InterruptibleCpu(machine, scenario, driver.source);
  }

  private get truth(): GroundTruth {
    return this.cpu.scenario.truth;
  }

  /** Take every exception step by step, within a budget, instead of running its code freely. */
  stepExceptions(always: boolean): void {
    this.driver.alwaysStepped = always;
  }

  /** Step from the thread's first instruction to its end (or the end of the range), sweeping. */
  run(range: SweepRange): SweepEnd {
    const { memory, kernel } = this.parts.machine;
    this.driver.reset();
    this.cpu.reset();
    this.trampolineReached = false;
    this.walkedTask = memory.readAddress(kernel.roles.walkTask) ?? 0;
    const home = this.truth.current;
    const cpu = this.parts.machine.stepper;
    const done = this.parts.machine.kernel.roles.threadDone;
    let depthAtEntry = -1;
    let index = -1;
    for (let executed = 0; executed < range.budget; executed++) {
      const { pc } = cpu;
      if (this.isTrampoline(pc)) this.trampolineReached = true;
      if (depthAtEntry < 0 && pc === range.entry) {
        depthAtEntry = home.depth;
        index = 0;
      }
      if (pc === done) return this.end(Math.max(index, 0), true);
      if (depthAtEntry >= 0) {
        if (home.depth < depthAtEntry) {
          return { ...this.end(index, true), result: cpu.registers.get(Reg.X0) };
        }
        if (index >= range.to) return this.end(index, false);
        if (index >= range.from && !this.stop(index, range)) {
          return this.end(index, false);
        }
        index++;
      }
      const isInRange = index > range.from && index <= range.to && range.kinds !== 0;
      if (!this.step()) return this.end(index, false);
      if (isInRange && this.cpu.scenario.warnedAt !== 0) {
        this.observer.warned?.(this.cpu.scenario.warnedAt, undefined);
      }
    }
    this.report('runaway', undefined, `${range.budget} instructions executed`);
    return this.end(index, false);
  }

  private end(instructions: number, finished: boolean): SweepEnd {
    return this.trampolineReached
      ? { instructions, finished, returnedToTracer: true }
      : { instructions, finished };
  }

  private isTrampoline(pc: Address): boolean {
    const { returnToHandler, kretprobeTrampolines } = this.parts.machine.kernel;
    if (pc === returnToHandler.start) return true;
    for (let i = 0; i < kretprobeTrampolines.length; i++) {
      if (kretprobeTrampolines[i]?.start === pc) return true;
    }
    return false;
  }

  /** Step the scenario by one instruction, recording truth. */
  private step(): boolean {
    if (!this.cpu.step()) {
      const { stepper, kernel } = this.parts.machine;
      const stop = explainKernelStop(kernel, stepper.pc);
      this.report(stop?.kind ?? 'scenario', undefined, stop?.detail ?? this.cpu.scenario.problem);
      return false;
    }
    return true;
  }

  /** All points before one instruction of the scenario. False to give up. */
  private stop(index: number, range: SweepRange): boolean {
    this.outerIndex = index;
    this.innerIndex = -1;
    if (range.kinds !== 0) {
      this.checkRow();
      if (!this.takePoints(range.kinds, 1)) return false;
    }
    if (range.outerKinds === 0) return true;
    this.driver.interruptAt(this.parts.machine.stepper.registers);
    const outer = this.driver.possibleKinds() & range.outerKinds;
    for (let kind = 0; kind < KIND_COUNT; kind++) {
      if ((outer & (1 << kind)) !== 0 && !this.insideException(kind, range)) return false;
    }
    return true;
  }

  /** The row for this instruction, once for each instruction. A wrong one does not end the sweep. */
  private checkRow(): void {
    const wrong = this.rows.check(this.parts.machine.stepper.registers, this.truth.current);
    if (wrong !== undefined) this.observer.wrongRow(wrong);
  }

  /** Take every possible kind of a set at the stepper's instruction. False to give up. */
  private takePoints(kinds: number, depth: number): boolean {
    if (this.walkedTask !== 0 && !this.truth.hasRun(this.walkedTask)) return true;
    const { registers } = this.parts.machine.stepper;
    this.driver.interruptAt(registers);
    const possible = this.driver.possibleKinds() & kinds;
    if (possible === 0) return true;
    const fn = this.parts.functions.at(registers.get(Reg.PC));
    this.tally.reserve(fn);
    for (let kind = 0; kind < KIND_COUNT; kind++) {
      if ((possible & (1 << kind)) !== 0 && !this.takePoint(kind, depth, fn)) return false;
    }
    return true;
  }

  /** One point: in, walk, judge, out. This is the hot path. */
  private takePoint(kind: number, depth: number, fn: number): boolean {
    const { driver, tally, policies, walk, truthList, parts } = this;
    tally.points++;
    const entered = driver.enter(kind);
    if (entered !== DriverStatus.DONE) return this.driverProblem(entered, kind);
    const task = parts.walker.prepare(driver.request);
    if (task === undefined) return this.driverProblem(DriverStatus.NO_REQUEST, kind);
    truthAtRequest(truthList, this.truth, driver, parts.machine.stepper.pc, task);
    const guest = this.guestAt(depth);
    if (guest !== undefined) {
      this.walkByGuest(guest, kind, depth, fn);
      return this.leave(kind);
    }
    for (let p = 0; p < policies.length; p++) {
      const policy = policies[p] as Policy;
      parts.walker.walk(policy, 'reliable', walk);
      const verdict = parts.judge.judgeReliable(walk, truthList);
      this.count(fn, kind, depth, p, 0, verdict);
      if (verdict === VerdictCode.UNRELIABLE) tally.addReason(p, walk.status);
      parts.walker.walkBestEffortAfter(policy, walk);
      this.count(fn, kind, depth, p, 1, parts.judge.judgeBestEffort(walk, truthList));
    }
    return this.leave(kind);
  }

  /** Out of the exception of a point. False to give up. */
  private leave(kind: number): boolean {
    const { driver } = this;
    const left = driver.leave();
    if (driver.warnedAt !== 0) this.observer.warned?.(driver.warnedAt, this.pointOf(kind));
    return left === DriverStatus.DONE || this.driverProblem(left, kind);
  }

  /** The kernel's own unwinder, where it is to be asked. */
  private guestAt(depth: number): GuestWalker | undefined {
    const { unwinder } = this;
    if (unwinder === 'model') return undefined;
    if (unwinder !== 'checked') return this.parts.guest;
    // The outer index is spread out, so that all parts of an exception's code have their turn.
    const skipped =
      depth === 1
        ? this.outerIndex % CHECKED_INTERVAL
        : (this.innerIndex + 379 * this.outerIndex) % CHECKED_INTERVAL_DEPTH_2;
    return skipped === 0 ? this.parts.guest : undefined;
  }

  /** The walks of a point by the kernel's own unwinder, and by the model for comparison. */
  private walkByGuest(guest: GuestWalker, kind: number, depth: number, fn: number): void {
    const { tally, policies, walk, guestWalk, truthList, parts, unwinder } = this;
    guest.prepare(this.driver.request);
    for (let p = 0; p < policies.length; p++) {
      const policy = policies[p] as Policy;
      if (!guest.supports(policy)) continue;
      for (let m = 0; m < MODES.length; m++) {
        const mode = MODES[m] as WalkMode;
        guest.walk(policy, mode, guestWalk);
        let difference: WalkDifference | undefined;
        if (unwinder !== 'guest') {
          parts.walker.walk(policy, mode, walk);
          difference = walkDifference(guestWalk, walk, mode);
          if (difference === undefined) {
            // The kernel does not say why; the model, which agrees, does.
            guestWalk.status = walk.status;
            guestWalk.warned = walk.warned;
          }
        }
        const judged = unwinder === 'checked' ? walk : guestWalk;
        const verdict =
          m === 0
            ? parts.judge.judgeReliable(judged, truthList)
            : parts.judge.judgeBestEffort(judged, truthList);
        this.count(fn, kind, depth, p, m, verdict, judged);
        if (m === 0 && verdict === VerdictCode.UNRELIABLE) tally.addReason(p, judged.status);
        if (difference !== undefined) {
          const context = this.context(p, m, verdict, guestWalk);
          const disagreement = { context, model: walk, difference };
          this.observer.disagreement?.(fn, depth, this.pointOf(kind), disagreement);
        }
      }
    }
    guest.finish();
  }

  private count(
    fn: number,
    kind: number,
    depth: number,
    policy: number,
    mode: number,
    verdict: number,
    walk = this.walk,
  ): void {
    const cell = this.tally.index(fn, kind, depth, policy, mode, verdict);
    const count = this.tally.add(cell);
    if (this.observer.walked !== undefined) {
      this.observer.walked(this.pointOf(kind), this.context(policy, mode, verdict, walk));
    }
    if (count === 1 && verdict !== VerdictCode.EXACT) {
      this.observer.example(cell, this.pointOf(kind), this.context(policy, mode, verdict, walk));
    }
  }

  private context(policy: number, mode: number, verdict: number, walk: WalkResult): PointContext {
    return {
      pc: this.parts.machine.stepper.pc,
      policy: this.policies[policy] as Policy,
      mode: MODES[mode] ?? 'reliable',
      verdict,
      truth: this.truthList,
      walk,
    };
  }

  private pointOf(kind: number): Point {
    return this.innerIndex < 0
      ? { index: this.outerIndex, kind }
      : {
          index: this.outerIndex,
          kind: this.outerKind,
          inner: { index: this.innerIndex, kind },
        };
  }

  /**
   * Depth 2: the stepper itself takes an exception and is interrupted at every instruction until it
   * has returned; then it must be what it was.
   */
  private insideException(kind: number, range: SweepRange): boolean {
    const { cpu } = this;
    cpu.take(kind);
    this.outerKind = kind;
    let going = true;
    for (this.innerIndex = 0; going && cpu.depth > 0; this.innerIndex++) {
      if (this.innerIndex >= range.budget) {
        this.report('runaway', this.pointOf(kind), `${range.budget} instructions in a handler`);
        going = false;
      } else {
        going = (cpu.isFirmwareNext || this.innerPoints(range)) && this.step();
        if (cpu.scenario.warnedAt !== 0) {
          this.observer.warned?.(cpu.scenario.warnedAt, { index: this.outerIndex, kind });
        }
      }
    }
    this.innerIndex = -1;
    if (!going) return false;
    if (cpu.difference < 0) return true;
    const point = { index: this.outerIndex, kind };
    return this.report('not-restored', point, registerChanged(cpu.difference));
  }

  private innerPoints(range: SweepRange): boolean {
    const { innerIndex } = this;
    if (innerIndex < range.innerFrom || innerIndex >= range.innerTo) return true;
    return this.takePoints(range.innerKinds, 2);
  }

  private driverProblem(status: number, kind: number): boolean {
    const { kernel } = this.parts.machine;
    const stop = explainKernelStop(kernel, this.driver.stoppedAt, isStop(status));
    const { kind: problem, detail } = stop ?? explainDriverStatus(status, this.driver.difference);
    return this.report(problem, this.pointOf(kind), detail);
  }

  private report(kind: SweepProblem['kind'], point: Point | undefined, detail: string): boolean {
    const pc = this.parts.machine.stepper.pc;
    return this.observer.problem({ kind, point, pc, detail });
  }
}
