/** What a sweep reports: plain data that is the same whatever the number of workers was. */
import type { PolicyName } from '../unwinder/policy.js';
import type { UnmetRequirement } from './promises.js';
import type { ProblemReport, WalkExample } from './unit.js';
import { type Verdict, VERDICTS } from './verdict.js';

/** Walks by verdict. */
export type VerdictCounts = Record<Verdict, number>;

/** No walks. */
export function noVerdicts(): VerdictCounts {
  const counts: Partial<VerdictCounts> = {};
  for (const verdict of VERDICTS) counts[verdict] = 0;
  return counts as VerdictCounts;
}

/** An unexpected verdict: the first point at which it came up, and how often it did. */
export interface Finding {
  readonly scenario: string;
  readonly count: number;
  readonly example: WalkExample;
  /** Command line that replays just that point. */
  readonly replay: string;
}

/** One scenario's part of a report. */
export interface ScenarioReport {
  readonly name: string;
  readonly points: number;
  /** Dynamic instructions of the scenario. */
  readonly instructions: number;
  /** Unexpected verdicts, unmet requirements and problems. 0: all as promised. */
  readonly unexpected: number;
  /** Reliable walks. */
  readonly policies: Partial<Record<PolicyName, VerdictCounts>>;
  readonly bestEffort: Partial<Record<PolicyName, VerdictCounts>>;
  /** Unreliable verdicts by reason. */
  readonly reasons: Partial<Record<PolicyName, Record<string, number>>>;
  readonly findings: readonly Finding[];
  readonly unmet: readonly UnmetRequirement[];
  readonly problems: readonly ProblemReport[];
}

/** A whole sweep. Only `seconds`, `pointsPerSecond` and `jobs` depend on the machine it ran on. */
export interface SweepReport {
  readonly version: 1;
  readonly points: number;
  readonly seconds: number;
  readonly pointsPerSecond: number;
  readonly jobs: number;
  readonly unexpected: number;
  readonly policies: Partial<Record<PolicyName, VerdictCounts>>;
  readonly bestEffort: Partial<Record<PolicyName, VerdictCounts>>;
  readonly scenarios: readonly ScenarioReport[];
}
