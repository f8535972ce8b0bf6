/**
 * A unit of work: some dynamic instructions of one scenario. Units have fixed sizes, so that a
 * sweep consists of the same units whatever the number of workers.
 */
import type { SweepRange } from './scenario-sweep.js';
import type { ProblemKind, SavedDifference } from '../lab/problem.js';
import type { RowFault } from './row-check.js';
import type { LabTarget } from '../lab/target.js';
import type { BusyKprobeReason } from '../kernel-model/busy-kprobe.js';
import type { ExceptionKind } from '../kernel-model/exception-kind.js';
import type { FunctionCoverage } from './function-coverage.js';
import type { VerdictCount } from './promises.js';
import type { UnwinderChoice, WalkDifference } from '../lab/stack-walker.js';
import type { PolicyName } from '../unwinder/policy.js';

/** What a worker is asked to do. */
export interface UnitRequest {
  readonly id: number;
  readonly target: LabTarget;
  readonly policies: readonly PolicyName[];
  readonly range: SweepRange;
  /** Step through every exception, within a budget. For a unit that hung. */
  readonly stepped?: boolean;
  /** Which unwinder walks; default: the model. */
  readonly unwinder?: UnwinderChoice;
  /** Report every walk, not only unexpected ones. For replaying a point. */
  readonly verbose?: boolean;
}

/** One judged walk, in words. */
export interface WalkExample {
  readonly point: string;
  readonly policy: PolicyName;
  readonly mode: 'reliable' | 'best-effort';
  readonly verdict: string;
  /**
   * Why the walk is unreliable, which WARN fired, and so on. Empty when there is nothing to add.
   */
  readonly reason: string;
  /** `function+0x10/0x40` of the interrupted instruction. */
  readonly at: string;
  /** That instruction. */
  readonly instruction: string;
  /** Innermost first. Optional entries are in parentheses. */
  readonly truth: readonly string[];
  readonly trace: readonly string[];
}

/** Equal disagreements between the kernel's own unwinder and the model, with the first of them. */
export interface DisagreementReport {
  readonly fn: string;
  readonly kind: ExceptionKind;
  readonly depth: 1 | 2;
  readonly count: number;
  readonly difference: WalkDifference;
  /** The kernel's walk. */
  readonly example: WalkExample;
  /** The model's answer to the same request: why it is unreliable, if it is, and its trace. */
  readonly model: { readonly reason: string; readonly trace: readonly string[] };
  /** Command line that replays the point. Only in a report. */
  readonly replay?: string;
}

/** A problem, in words. */
export interface ProblemReport {
  readonly kind:
    | ProblemKind
    | 'worker-died'
    | 'setup'
    | 'wrong-result'
    /** The CPU contradicts an SFrame row that the scenario does not declare wrong. */
    | 'wrong-row'
    /** The scenario declares a function's rows wrong, but no such row was seen. */
    | 'wrong-row-unseen';
  /** Point, or undefined when the scenario itself is at fault. */
  readonly point: string | undefined;
  readonly at: string;
  readonly detail: string;
  /** An unknown instruction word that {@link detail} still has to name. */
  readonly word?: number;
  /** Of wrong pt_regs. */
  readonly saved?: SavedDifference;
  /** Command line that replays the point, in a report. */
  readonly replay?: string;
}

/** A count of equal verdicts, with an example when it is not allowed by the scenario. */
export interface CellReport extends VerdictCount {
  readonly example?: WalkExample;
}

/** An SFrame row that the CPU contradicts, in words. */
export interface WrongRowReport {
  readonly fn: string;
  readonly fault: RowFault;
  readonly at: string;
  readonly detail: string;
}

/** Breakpoints that reach no handler, by what the kernel does with them. */
export type UntakenCounts = Readonly<Partial<Record<BusyKprobeReason, number>>>;

/** What a worker answers. */
export interface UnitResult {
  readonly id: number;
  readonly points: number;
  /** Walks of the kernel's own unwinder that were compared with the model's. */
  readonly compared: number;
  /** Dynamic instructions of the scenario executed up to the end of the range. */
  readonly instructions: number;
  readonly finished: boolean;
  /** x0 on return of the entry function; only when it returned. */
  readonly result: number | undefined;
  readonly cells: readonly CellReport[];
  readonly reasons: readonly {
    readonly policy: PolicyName;
    readonly reason: string;
    readonly count: number;
  }[];
  readonly untaken: UntakenCounts;
  /**
   * Coverage of the entry function, when the range takes no exception and the target asks for it.
   */
  readonly coverage?: FunctionCoverage | undefined;
  readonly wrongRows: readonly WrongRowReport[];
  readonly problems: readonly ProblemReport[];
  readonly disagreements: readonly DisagreementReport[];
  /** Only when asked for. */
  readonly walks: readonly WalkExample[];
}

/** The result of a unit that executed nothing. */
export function failedUnit(id: number, problem: ProblemReport): UnitResult {
  return {
    id,
    points: 0,
    compared: 0,
    instructions: 0,
    finished: false,
    result: undefined,
    cells: [],
    reasons: [],
    untaken: {},
    wrongRows: [],
    problems: [problem],
    disagreements: [],
    walks: [],
  };
}
