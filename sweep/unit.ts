/**
 * A unit of work: some dynamic instructions of one scenario. Units are cut by fixed sizes, so that a
 * sweep consists of the same units whatever the number of workers is.
 */
import type { SweepRange } from './scenario-sweep.js';
import type { SweepProblemKind } from './sweep-problem.js';
import type { RowFault } from './row-check.js';
import type { Scenario } from '../scenarios/scenario.js';
import type { ExceptionKind } from '../kernel-model/exception-kind.js';
import type { VerdictCount } from './promises.js';
import type { UnwinderChoice, WalkDifference } from './stack-walker.js';
import type { PolicyName } from '../unwinder/policy.js';
import type { VmlinuxSource } from '../kernel-model/vmlinux/load.js';

/** What is swept: a scenario and the ELF that holds its code. */
export interface SweepTarget {
  readonly scenario: Scenario;
  /** Path of the ELF loaded beside the kernel; absent when the code is in the kernel itself. */
  readonly elf?: string;
  /** The real kernel to run instead of a built-in one. */
  readonly vmlinux?: VmlinuxSource;
}

/** What a worker is asked to do. */
export interface UnitRequest {
  readonly id: number;
  readonly target: SweepTarget;
  readonly policies: readonly PolicyName[];
  readonly range: Omit<SweepRange, 'entry'>;
  /**
   * Abort the process at this point, or with `run` when the scenario is measured: for the test that a
   * dead worker costs one point.
   */
  readonly crashAt?: string;
  /** Take every exception step by step, within a budget: for a unit that hung. */
  readonly stepped?: boolean;
  /** Whose walks; default: the model's. */
  readonly unwinder?: UnwinderChoice;
  /** Report every walk, not only unexpected ones: for replaying a point. */
  readonly verbose?: boolean;
}

/** One judged walk, in words. */
export interface WalkExample {
  readonly point: string;
  readonly policy: PolicyName;
  readonly mode: 'reliable' | 'best-effort';
  readonly verdict: string;
  /** Why it is unreliable, which WARN, ...; empty when there is nothing to add. */
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
  /** Whose trace is the kernel's. */
  readonly example: WalkExample;
  /** The model's answer to the same request: why it is unreliable, if it is, and its trace. */
  readonly model: { readonly reason: string; readonly trace: readonly string[] };
  /** Command line that replays the point, in a report. */
  readonly replay?: string;
}

/** A problem, in words. */
export interface ProblemReport {
  readonly kind:
    | SweepProblemKind
    | 'worker-died'
    | 'setup'
    | 'wrong-result'
    /** The CPU contradicts an SFrame row, and the scenario does not say that it will. */
    | 'wrong-row'
    /** The scenario says that a function's rows are wrong, and no such row was seen. */
    | 'wrong-row-unseen';
  /** Point, or undefined when the scenario itself is at fault. */
  readonly point: string | undefined;
  readonly at: string;
  readonly detail: string;
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
  readonly wrongRows: readonly WrongRowReport[];
  readonly problems: readonly ProblemReport[];
  readonly disagreements: readonly DisagreementReport[];
  /** Only when asked for. */
  readonly walks: readonly WalkExample[];
}

/** The result of a unit of which nothing was executed. */
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
    wrongRows: [],
    problems: [problem],
    disagreements: [],
    walks: [],
  };
}

/** Dynamic instructions in a unit of depth 1, and in one of depth 2. */
const UNIT_INSTRUCTIONS = 1024;
const UNIT_INSTRUCTIONS_DEPTH_2 = 8;

/** An instruction count that no range reaches. */
export const NO_LIMIT = 0x7fffffff;

/** A run to the scenario's end that takes no exception: how long it is, and what it returns. */
export function measuringRange(budget: number): Omit<SweepRange, 'entry'> {
  return {
    from: 0,
    to: NO_LIMIT,
    kinds: 0,
    outerKinds: 0,
    innerKinds: 0,
    innerFrom: 0,
    innerTo: NO_LIMIT,
    budget,
  };
}

/** Whether a range takes no exception: {@link measuringRange}. */
export function isMeasuring({ kinds, outerKinds }: Omit<SweepRange, 'entry'>): boolean {
  return kinds === 0 && outerKinds === 0;
}

/** Cut a scenario of `instructions` dynamic instructions into ranges. */
export function cutRanges(
  instructions: number,
  depth: 1 | 2,
  kinds: number,
  budget: number,
): Omit<SweepRange, 'entry'>[] {
  const ranges: Omit<SweepRange, 'entry'>[] = [];
  const add = (from: number, to: number, first: number, outer: number): void => {
    ranges.push({
      from,
      to: Math.min(to, instructions),
      kinds: first,
      outerKinds: outer,
      innerKinds: outer === 0 ? 0 : kinds,
      innerFrom: 0,
      innerTo: NO_LIMIT,
      budget,
    });
  };
  for (let from = 0; from < instructions; from += UNIT_INSTRUCTIONS) {
    add(from, from + UNIT_INSTRUCTIONS, kinds, 0);
  }
  if (depth === 2) {
    for (let from = 0; from < instructions; from += UNIT_INSTRUCTIONS_DEPTH_2) {
      add(from, from + UNIT_INSTRUCTIONS_DEPTH_2, 0, kinds);
    }
  }
  return ranges;
}

/** Instructions of entry, handler and exit code that a progress estimate counts with. */
const ESTIMATED_INNER = 400;

/** How much work a range is, in stops, roughly: for showing progress. */
export function rangeWork(range: Omit<SweepRange, 'entry'>): number {
  const inner = Math.min(ESTIMATED_INNER, range.innerTo - range.innerFrom);
  const inside = bits(range.outerKinds).length * inner;
  return Math.max(1, range.to - range.from) * (1 + inside);
}

/** Inner instructions to look at when a unit of depth 2 has killed its worker. */
const MAX_INNER = 1 << 14;

/**
 * Smaller ranges that together are the given one, or none when it is a single point: how the point
 * that kills a worker is found.
 */
export function splitRange(range: Omit<SweepRange, 'entry'>): Omit<SweepRange, 'entry'>[] {
  const { from, to, kinds, outerKinds, innerKinds } = range;
  if (to - from > 1) {
    const middle = (from + to) >> 1;
    return [
      { ...range, to: middle },
      { ...range, from: middle },
    ];
  }
  if (kinds !== 0 && outerKinds !== 0) {
    return [
      { ...range, outerKinds: 0 },
      { ...range, kinds: 0 },
    ];
  }
  if (kinds !== 0) return bits(kinds).map((bit) => ({ ...range, kinds: bit }));
  const outer = bits(outerKinds);
  if (outer.length > 1) return outer.map((bit) => ({ ...range, outerKinds: bit }));
  const innerTo = Math.min(range.innerTo, MAX_INNER);
  if (innerTo - range.innerFrom > 1) {
    const middle = (range.innerFrom + innerTo) >> 1;
    return [
      { ...range, innerTo: middle },
      { ...range, innerFrom: middle, innerTo },
    ];
  }
  return bits(innerKinds).map((bit) => ({ ...range, innerKinds: bit }));
}

/** The order in which {@link splitRange} gives the parts of a range. */
export function compareRanges(a: Omit<SweepRange, 'entry'>, b: Omit<SweepRange, 'entry'>): number {
  return (
    a.from - b.from ||
    Number(b.kinds !== 0) - Number(a.kinds !== 0) ||
    a.kinds - b.kinds ||
    a.outerKinds - b.outerKinds ||
    a.innerFrom - b.innerFrom ||
    a.innerKinds - b.innerKinds
  );
}

/** Whether a range is one point. */
export function isSinglePoint(range: Omit<SweepRange, 'entry'>): boolean {
  if (range.to - range.from > 1) return false;
  if (range.outerKinds === 0) return bits(range.kinds).length <= 1;
  return (
    range.kinds === 0 &&
    bits(range.outerKinds).length === 1 &&
    range.innerTo - range.innerFrom <= 1 &&
    bits(range.innerKinds).length <= 1
  );
}

function bits(set: number): number[] {
  const found: number[] = [];
  for (let bit = 1; bit <= set; bit <<= 1) if ((set & bit) !== 0) found.push(bit);
  return found;
}
