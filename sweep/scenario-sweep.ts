/**
 * Sweeps one scenario on one machine. Steps through its code. Before each instruction it takes
 * every possible exception, lets every policy walk in both modes, judges the walks and returns from
 * the exception.
 */
import { plural } from '../base/number-text.js';
import type { Address } from '../base/address.js';
import { Reg } from '../emulator/registers.js';
import {
  DriverStatus,
  type ExceptionDriver,
  memoryStatus,
} from '../kernel-model/exception-driver.js';
import { NOT_BUSY } from '../kernel-model/busy-kprobe.js';
import { Kind, KIND_COUNT } from '../kernel-model/exception-kind.js';
import type { GroundTruth } from '../kernel-model/ground-truth.js';
import { InterruptedState } from '../kernel-model/interrupted-state.js';
import type { InterruptibleCpu } from '../kernel-model/interruptible-cpu.js';
import type { Machine } from '../kernel-model/machine.js';
import type { Policy } from '../unwinder/policy.js';
import type { Point } from '../lab/point.js';
import type { CoverageRecorder } from './function-coverage.js';
import { PointWalks } from './point-walks.js';
import { Position } from './position.js';
import { RowCheck } from './row-check.js';
import type { UnwinderChoice } from '../lab/stack-walker.js';
import type { SweepObserver } from './sweep-observer.js';
import type { Experiment } from '../lab/experiment.js';
import { explainDriverStatus, type Problem } from '../lab/problem.js';
import type { Tally } from './tally.js';

/** What is swept. */
export interface SweepRange {
  /** Dynamic instructions `[from, to)` of the scenario. */
  readonly from: number;
  readonly to: number;
  /** Kinds taken at depth 1, as bits. */
  readonly kinds: number;
  /** Kinds whose handling is itself interrupted (depth 2), as bits; 0 for none. */
  readonly outerKinds: number;
  /** Kinds taken during that handling, as bits. */
  readonly innerKinds: number;
  /** Instructions `[innerFrom, innerTo)` of the handling, 0 being the vector's first. */
  readonly innerFrom: number;
  readonly innerTo: number;
  /** Instructions after which the guest counts as runaway. */
  readonly budget: number;
}

/** How {@link ScenarioSweep.run} ended. */
export interface SweepEnd {
  /** Dynamic instructions of the scenario that were executed, from the entry function's first. */
  readonly instructions: number;
  /** The entry function returned, or its thread ended. */
  readonly finished: boolean;
  /** x0 on return of the entry function; undefined when it did not return. */
  readonly result?: number;
  /** A tracer's trampoline was reached, so a traced function has returned into it. */
  readonly returnedToTracer?: true;
}

/** Sweeps a scenario that has been set up. */
export class ScenarioSweep {
  private readonly machine: Machine;
  private readonly driver: ExceptionDriver;
  private readonly cpu: InterruptibleCpu;
  private readonly position = new Position();
  private readonly walks: PointWalks;
  private readonly rows: RowCheck;
  /** State that an exception whose handling is interrupted must restore. */
  private readonly outer: InterruptedState;
  /** A trampoline of function graph or of a kretprobe was reached. */
  private trampolineReached = false;

  constructor(
    private readonly experiment: Experiment,
    policies: readonly Policy[],
    private readonly tally: Tally,
    private readonly observer: SweepObserver,
    unwinder: UnwinderChoice = 'model',
  ) {
    const { machine, stacks, driver, rules } = experiment.parts;
    this.machine = machine;
    this.driver = driver;
    this.cpu = experiment.cpu;
    this.walks = new PointWalks(experiment, policies, tally, observer, unwinder);
    this.rows = new RowCheck(rules, machine.memory);
    this.outer = new InterruptedState(machine, stacks, driver.source);
  }

  private get truth(): GroundTruth {
    return this.experiment.groundTruth;
  }

  /**
   * Step from the thread's first instruction to its end (or the end of the range), sweeping.
   * @param entry first instruction of the entry function
   * @param coverage records what is executed from there to the return
   */
  run(entry: Address, range: SweepRange, coverage?: CoverageRecorder): SweepEnd {
    this.trampolineReached = false;
    const home = this.truth.current;
    const cpu = this.machine.stepper;
    const done = this.machine.kernel.roles.threadDone;
    let depthAtEntry = -1;
    let index = -1;
    for (let executed = 0; executed < range.budget; executed++) {
      const { pc } = cpu;
      if (this.isTrampoline(pc)) this.trampolineReached = true;
      if (depthAtEntry < 0 && pc === entry) {
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
      if (coverage !== undefined && index > 0) coverage.executed(pc);
      if (isInRange) this.noteStep(undefined);
    }
    this.report('runaway', undefined, `${plural(range.budget, 'instruction')} executed`);
    return this.end(index, false);
  }

  /**
   * Tell of a WARN that the last step has passed, and of registers that entry code has saved wrongly.
   * @param outer the exception that was stepped in; undefined for the scenario itself
   */
  private noteStep(outer: Point | undefined): void {
    const { warnedAt, contexts } = this.cpu.scenario;
    if (warnedAt !== 0) this.observer.warned?.(warnedAt, outer);
    if (contexts.wrong >= 0) this.observer.savedWrong?.(contexts.ptRegs, contexts.wrong, outer);
  }

  private end(instructions: number, finished: boolean): SweepEnd {
    return this.trampolineReached
      ? { instructions, finished, returnedToTracer: true }
      : { instructions, finished };
  }

  private isTrampoline(pc: Address): boolean {
    const { returnToHandler, kretprobeTrampolines } = this.machine.kernel;
    if (pc === returnToHandler.start) return true;
    for (let i = 0; i < kretprobeTrampolines.length; i++) {
      if (kretprobeTrampolines[i]?.start === pc) return true;
    }
    return false;
  }

  /** Step the scenario by one instruction, recording truth. */
  private step(): boolean {
    if (this.cpu.step()) return true;
    const { pc } = this.machine.stepper;
    this.observer.problem({ ...this.experiment.explainStep(), point: undefined, pc });
    return false;
  }

  /** Take all points before one instruction of the scenario. False to give up. */
  private stop(index: number, range: SweepRange): boolean {
    this.position.index = index;
    this.position.innerIndex = -1;
    if (range.kinds !== 0) {
      this.checkRow();
      if (!this.takePoints(range.kinds)) return false;
    }
    if (range.outerKinds === 0) return true;
    const { registers } = this.machine.stepper;
    const outer = this.driver.source.possible(registers) & range.outerKinds;
    for (let kind = 0; kind < KIND_COUNT; kind++) {
      if ((outer & (1 << kind)) !== 0 && !this.insideException(kind, range)) return false;
    }
    return true;
  }

  /** Check the row of this instruction. A wrong one does not end the sweep. */
  private checkRow(): void {
    const wrong = this.rows.check(this.machine.stepper.registers, this.truth.current);
    if (wrong !== undefined) this.observer.wrongRow(wrong);
  }

  /** Take every possible kind of a set at the stepper's instruction. False to give up. */
  private takePoints(kinds: number): boolean {
    if ((kinds & (1 << Kind.BRK)) !== 0) this.countUntaken();
    const possible = this.experiment.possibleKinds() & kinds;
    if (possible === 0) return true;
    this.experiment.interrupt();
    this.walks.reserve();
    for (let kind = 0; kind < KIND_COUNT; kind++) {
      if ((possible & (1 << kind)) !== 0 && !this.takePoint(kind)) return false;
    }
    return true;
  }

  /**
   * Count a breakpoint that the kernel is too busy to handle. It is not a point: nothing asks for a
   * walk there.
   */
  private countUntaken(): void {
    const reason = this.experiment.busyKprobe();
    if (reason === NOT_BUSY) return;
    const { untaken } = this.tally;
    untaken[reason] = (untaken[reason] as number) + 1;
  }

  /** One point: enter, walk, judge, leave. False to give up. This is the hot path. */
  private takePoint(kind: number): boolean {
    this.tally.points++;
    const entered = this.experiment.enter(kind);
    const { savedWrong } = this.driver;
    if (savedWrong >= 0) {
      this.observer.savedWrong?.(this.driver.ptRegs, savedWrong, this.position.point(kind));
    }
    if (entered !== DriverStatus.DONE) return this.pointProblem(entered, kind);
    this.walks.take(this.position, kind);
    const left = this.experiment.leave();
    const { warnedAt } = this.driver;
    if (warnedAt !== 0) this.observer.warned?.(warnedAt, this.position.point(kind));
    return left === DriverStatus.DONE || this.pointProblem(left, kind);
  }

  /**
   * Depth 2: the stepper itself takes an exception and is interrupted at every instruction until it
   * returns from it. Then its state must be what it was.
   */
  private insideException(kind: number, range: SweepRange): boolean {
    const { cpu, position } = this;
    const point = { index: position.index, kind };
    const { registers } = this.machine.stepper;
    this.outer.keepStack(registers);
    this.outer.keepCounts(registers);
    cpu.take(kind);
    position.outerKind = kind;
    let going = true;
    for (position.innerIndex = 0; going && cpu.depth > 0; position.innerIndex++) {
      if (position.innerIndex >= range.budget) {
        const detail = `${plural(range.budget, 'instruction')} in a handler`;
        this.report('runaway', position.point(kind), detail);
        going = false;
      } else {
        going = (cpu.isFirmwareNext || this.innerPoints(range)) && this.step();
        this.noteStep(point);
      }
    }
    position.innerIndex = -1;
    if (!going) return false;
    const status = this.outerStatus();
    if (status === DriverStatus.DONE) return true;
    const { kind: problem, detail } = explainDriverStatus(status, cpu.difference);
    return this.report(problem, point, detail);
  }

  /** Whether the exception that was taken at depth 2 has restored everything. */
  private outerStatus(): number {
    if (this.cpu.difference >= 0) return DriverStatus.REGISTER_CHANGED;
    return memoryStatus(this.outer, this.machine.stepper.registers);
  }

  private innerPoints(range: SweepRange): boolean {
    const { innerIndex } = this.position;
    if (innerIndex < range.innerFrom || innerIndex >= range.innerTo) return true;
    return this.takePoints(range.innerKinds);
  }

  private pointProblem(status: number, kind: number): boolean {
    const { kind: problem, detail } = this.experiment.explain(status);
    return this.report(problem, this.position.point(kind), detail);
  }

  private report(kind: Problem['kind'], point: Point | undefined, detail: string): boolean {
    const { pc } = this.machine.stepper;
    return this.observer.problem({ kind, point, pc, detail });
  }
}
