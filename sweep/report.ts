/** What a sweep reports: plain data that does not depend on the number of workers. */
import type { ExceptionKind } from '../kernel-model/exception-kind.js';
import type { WalkMode } from '../unwinder/kunwind.js';
import type { PolicyName } from '../unwinder/policy.js';
import type { FunctionCoverage } from './function-coverage.js';
import type { UnmetRequirement } from './promises.js';
import type { DisagreementReport, ProblemReport, UntakenCounts, WalkExample } from './unit.js';
import { type Verdict, VERDICTS } from '../scenarios/verdict.js';

/** Walks by verdict. */
export type VerdictCounts = Record<Verdict, number>;

/** No walks. */
export function noVerdicts(): VerdictCounts {
  const counts: Partial<VerdictCounts> = {};
  for (const verdict of VERDICTS) counts[verdict] = 0;
  return counts as VerdictCounts;
}

/**
 * An unexpected verdict in one function under one kind: the first point that had it, and how often
 * it occurred.
 */
export interface Finding {
  readonly scenario: string;
  readonly fn: string;
  readonly kind: ExceptionKind;
  readonly depth: 1 | 2;
  readonly count: number;
  /** What the scenario accepts there, which is the promise that was broken. */
  readonly accepted: readonly Verdict[];
  readonly example: WalkExample;
  /** Command line that replays the example's point. */
  readonly replay: string;
}

/**
 * An unsafe verdict that the scenario promises: a known bug of the kernel, or one planted in the
 * scenario.
 */
export interface KnownVerdict {
  readonly policy: PolicyName;
  readonly mode: WalkMode;
  readonly verdict: Verdict;
  readonly count: number;
  /** Why the scenario promises it. */
  readonly reason: string;
}

/** How far an interrupted sweep came, in the units of `rangeWork()` (range.ts). */
export interface PartialSweep {
  readonly done: number;
  readonly total: number;
}

/** One scenario's part of a report. */
export interface ScenarioReport {
  readonly name: string;
  /**
   * The sweep was interrupted, and points of this scenario are missing. Its requirements were not
   * judged.
   */
  readonly partial?: true;
  readonly points: number;
  /** Walks of the kernel's own unwinder that were compared with the model's. */
  readonly compared: number;
  /** Dynamic instructions of the scenario. */
  readonly instructions: number;
  /** How much of a user's function was executed. Absent for a built-in scenario. */
  readonly coverage?: FunctionCoverage;
  /** Unexpected verdicts, unmet requirements, problems and disagreements. 0: all as promised. */
  readonly unexpected: number;
  /** Reliable walks. */
  readonly policies: Partial<Record<PolicyName, VerdictCounts>>;
  readonly bestEffort: Partial<Record<PolicyName, VerdictCounts>>;
  /** Unreliable verdicts by reason. */
  readonly reasons: Partial<Record<PolicyName, Record<string, number>>>;
  /** Breakpoints that are not points, because the kernel is busy with another kprobe there. */
  readonly untaken: UntakenCounts;
  /** Reliable walks whose verdict no promise accepts. */
  readonly unexpectedVerdicts: Partial<Record<PolicyName, VerdictCounts>>;
  readonly known: readonly KnownVerdict[];
  readonly findings: readonly Finding[];
  readonly unmet: readonly UnmetRequirement[];
  readonly problems: readonly ProblemReport[];
  /** The functions at whose instructions a walk was judged; only where something is expected of them. */
  readonly judged?: readonly string[];
  /** Where the kernel's own unwinder and the model answer differently. */
  readonly disagreements: readonly DisagreementReport[];
}

/** In how many walks the kernel's own unwinder and the model of a policy agree. */
export interface PolicyAgreement {
  readonly policy: PolicyName;
  readonly agreed: number;
  readonly compared: number;
}

/** A whole sweep. Only `seconds`, `pointsPerSecond` and `jobs` depend on the machine it ran on. */
export interface SweepReport {
  readonly version: 1;
  /** The sweep was interrupted, so it cannot be as promised, whatever else the report says. */
  readonly partial?: PartialSweep;
  readonly points: number;
  readonly compared: number;
  readonly seconds: number;
  readonly pointsPerSecond: number;
  readonly jobs: number;
  readonly unexpected: number;
  /** Sums over all scenarios. */
  readonly untaken: UntakenCounts;
  readonly policies: Partial<Record<PolicyName, VerdictCounts>>;
  readonly bestEffort: Partial<Record<PolicyName, VerdictCounts>>;
  readonly scenarios: readonly ScenarioReport[];
  /**
   * In how many walks the kernel agrees with each policy. Present only when a kernel with a single
   * unwinder disagreed with the policy that was swept in most walks.
   */
  readonly agreements?: readonly PolicyAgreement[];
}
