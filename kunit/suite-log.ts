/** What a log of the suite `reliable_stacktrace` says, case by case. */

/** One line of a printed walk: `name+0xOFFSET/0xSIZE`. */
export interface TraceEntry {
  /** Function with the suffixes that gcc gave it, or a bare address. */
  readonly name: string;
  /** Bytes into the function; undefined for a bare address. */
  readonly offset: number | undefined;
}

/** The walk that a case asked for. */
export interface WalkRecord {
  /** Number of entries, or the negative errno of a walk that is not reliable. */
  readonly length: number;
  /** The errno of `marked unreliable`, negative; undefined for a walk that was called reliable. */
  readonly unreliable: number | undefined;
  /** Innermost first; empty when the walk is not reliable. */
  readonly entries: readonly TraceEntry[];
}

/** The outcome of the kprobe that a parameter asked for. */
export type ProbeRecord =
  | { readonly kind: 'hit'; readonly at: string }
  | { readonly kind: 'not-hit'; readonly at: string }
  /** The kernel refuses a probe there. `error` is a negative errno. */
  | { readonly kind: 'refused'; readonly at: string; readonly error: number };

/** A case without parameters, or one parameter of a case. */
export interface StepRecord {
  readonly line: number;
  readonly name: string;
  readonly ok: boolean;
  readonly skipped: boolean;
  readonly probe: ProbeRecord | undefined;
  /** Undefined when no walk happened. */
  readonly walk: WalkRecord | undefined;
  /** Messages of failed expectations, such as `Stacktrace misses caller_1`. */
  readonly failures: readonly string[];
  /** WARN lines printed meanwhile: the text after `WARNING: `. */
  readonly warnings: readonly string[];
  /** Other diagnostics of the case, without `# name: `. */
  readonly notes: readonly string[];
}

/** A case. */
export interface CaseRecord extends StepRecord {
  /** Its parameters; empty for a case without. */
  readonly subtests: readonly StepRecord[];
}

/** The numbers that the kernel prints below a group of results. */
export interface Totals {
  readonly pass: number;
  readonly fail: number;
  readonly skip: number;
  readonly total: number;
}

/** One run of the suite. */
export interface SuiteLog {
  readonly line: number;
  readonly ok: boolean;
  /** The policy that walked, if the log names it. A kernel's own log does not. */
  readonly policy: string | undefined;
  readonly cases: readonly CaseRecord[];
  /** Totals over cases and parameters, counted from the results. */
  readonly totals: Totals;
}

/** Counts results: each parameter is one, and each case without parameters. */
export function countTotals(cases: readonly CaseRecord[]): Totals {
  const steps = cases.flatMap((one) => (one.subtests.length > 0 ? one.subtests : [one]));
  return totalsOf(steps);
}

/** Counts a list of results. */
export function totalsOf(
  results: readonly { readonly ok: boolean; readonly skipped: boolean }[],
): Totals {
  const skip = results.filter(({ skipped }) => skipped).length;
  const failed = results.filter(({ ok, skipped }) => !ok && !skipped).length;
  const total = results.length;
  return { pass: total - skip - failed, fail: failed, skip, total };
}

/** Totals as the kernel prints them: `pass:21 fail:1 skip:0 total:22`. */
export function totalsText({ pass, fail, skip, total }: Totals): string {
  return `pass:${pass} fail:${fail} skip:${skip} total:${total}`;
}
