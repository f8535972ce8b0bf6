/** The outcome of one case under one policy: plain data, made in a worker process. */
import type { PolicyName } from '../unwinder/policy.js';
import type { ProbeRecord } from './suite-log.js';

/** A walk that the case asked for. */
export interface WalkRun {
  /**
   * The negative errno that stack_trace_save_tsk_reliable returned, or undefined for a reliable
   * walk.
   */
  readonly error: number | undefined;
  /** Why the walk is not reliable, in the unwinder's words; empty for a reliable one. */
  readonly reason: string;
  /** `function+0x10/0x40`, innermost first; empty when the walk is not reliable. */
  readonly entries: readonly string[];
  /** The WARN that the unwinder reached, or empty. */
  readonly warning: string;
  /** Why the walk is unsafe: it was called reliable, but ground truth disagrees. Else empty. */
  readonly unsafe: string;
}

/** A case without parameters, or one parameter. */
export interface StepRun {
  /** Name of the parameter (or the case). */
  readonly name: string;
  readonly probe: ProbeRecord | undefined;
  readonly walk: WalkRun | undefined;
  /** What happened instead, when the guest did not do what the case requires. Else empty. */
  readonly problem: string;
}

/** A case under a policy. */
export interface CaseRun {
  readonly policy: PolicyName;
  readonly caseName: string;
  /** One for each parameter; a case without parameters has one. */
  readonly steps: readonly StepRun[];
  readonly seconds: number;
}
