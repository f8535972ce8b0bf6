/**
 * A whole sweep: measures every scenario, cuts the work into units, has them executed, and merges
 * the answers into a report.
 */
import { kindSet } from '../kernel-model/exception-kind.js';
import type { PolicyName } from '../unwinder/policy.js';
import type { UnitExecutor, UnitObserver } from './executor.js';
import { noCoverage } from './function-coverage.js';
import { mergeScenario, sumUntaken } from './merge.js';
import type { Point } from '../lab/point.js';
import { noVerdicts, type ScenarioReport, type SweepReport, type VerdictCounts } from './report.js';
import type { UnwinderChoice } from '../lab/stack-walker.js';
import type { SweepRange } from './scenario-sweep.js';
import { TargetJob } from './target-job.js';
import { failedUnit, type UnitRequest, type UnitResult, type WalkExample } from './unit.js';
import {
  cutRanges,
  isMeasuring,
  measuringRange,
  pointRange,
  rangeWork,
  singlePoint,
} from './range.js';
import type { LabTarget } from '../lab/target.js';
import { VERDICTS } from '../scenarios/verdict.js';

/** What to sweep, and how. */
export interface SweepOptions {
  readonly targets: readonly LabTarget[];
  readonly policies: readonly PolicyName[];
  /** Kinds, as bits. Each scenario's own restriction applies as well. */
  readonly kinds: number;
  /** Overrides each scenario's own depth. */
  readonly depth?: 1 | 2;
  /** Take only this point. Needs a single target. */
  readonly point?: Point;
  /** Which unwinder walks; default: the model. */
  readonly unwinder?: UnwinderChoice;
  /** Instructions after which a guest counts as runaway. */
  readonly budget?: number;
  /**
   * The command line that replays a point. With a policy: to look at its walk. Without: where there
   * was no walk.
   */
  readonly replay: (target: LabTarget, point: string, policy?: PolicyName) => string;
}

/** How far a sweep is. */
export interface SweepProgress {
  /** Scenarios measured, of all. Measuring comes first. */
  readonly measured: { readonly done: number; readonly total: number };
  /**
   * Work done, of all work, in the units of {@link rangeWork}; 0 of 0 while scenarios are being
   * measured.
   */
  readonly done: number;
  readonly total: number;
  readonly points: number;
  readonly scenario: string;
}

/** What a sweep returns. */
export interface SweepOutcome {
  readonly report: SweepReport;
  /** All walks of the point, when a single point was asked for; else empty. */
  readonly walks: readonly WalkExample[];
  /** Largest resident set of a process that executed units, in bytes. */
  readonly peakMemory: number;
}

/** Why there is no outcome. */
export interface SweepFailure {
  readonly kind: 'workers' | 'interrupted';
  readonly message: string;
}

/** Instructions that a scenario may execute, unless the caller says otherwise. */
export const DEFAULT_BUDGET = 2_000_000;

/** One sweep. */
export class Sweep implements UnitObserver {
  private readonly jobs: TargetJob[];
  private readonly owner = new Map<number, TargetJob>();
  private failure: string | undefined;
  private nextId = 0;
  private done = 0;
  private total = 0;
  private points = 0;
  private measured = 0;

  /** @param executor executes the units; the sweep closes it when it ends */
  constructor(
    private readonly options: SweepOptions,
    private readonly executor: UnitExecutor,
    private readonly onProgress: (progress: SweepProgress) => void = () => undefined,
  ) {
    this.jobs = options.targets.map((target) => new TargetJob(target));
  }

  /**
   * End the sweep early. The executor gives up, and {@link run} resolves with a partial report, or
   * with a failure when there is nothing to report.
   */
  abort(): void {
    this.failure ??= 'interrupted';
    void this.executor.close();
  }

  /** Run the sweep. */
  async run(): Promise<SweepOutcome | SweepFailure> {
    const started = process.hrtime.bigint();
    try {
      await this.execute(this.jobs.map((job) => this.request(job, measuringRange(this.budget))));
      for (const job of this.jobs) job.takeMeasure();
      if (this.failure === undefined) {
        const units = this.jobs.flatMap((job) => this.cut(job));
        this.total = units.reduce((sum, { range }) => sum + rangeWork(range), 0);
        this.done = 0;
        await this.execute(units);
      }
    } finally {
      await this.executor.close();
    }
    const seconds = Number(process.hrtime.bigint() - started) / 1e9;
    if (this.failure !== undefined && !this.isInterrupted) {
      const kind = this.failure === 'interrupted' ? 'interrupted' : 'workers';
      return { kind, message: this.failure };
    }
    return {
      report: this.report(seconds),
      walks: this.jobs.flatMap((job) => job.results().flatMap((result) => result.walks)),
      peakMemory: this.executor.peakMemory,
    };
  }

  /** Interrupted, with something to report. */
  private get isInterrupted(): boolean {
    return this.failure === 'interrupted' && this.points > 0 && this.options.point === undefined;
  }

  private async execute(units: readonly UnitRequest[]): Promise<void> {
    const failure = await this.executor.run(units, this);
    this.failure ??= failure;
  }

  private get budget(): number {
    return this.options.budget ?? DEFAULT_BUDGET;
  }

  private request(job: TargetJob, range: SweepRange): UnitRequest {
    const request: UnitRequest = {
      id: this.nextId++,
      target: job.target,
      policies: this.options.policies,
      range,
      unwinder: this.options.unwinder ?? 'model',
      ...(this.options.point === undefined ? {} : { verbose: true }),
    };
    job.requests.push(request);
    this.owner.set(request.id, job);
    return request;
  }

  private cut(job: TargetJob): UnitRequest[] {
    if (job.problems.length > 0) return [];
    const { scenario } = job.target;
    const { point } = this.options;
    const ranges =
      point === undefined
        ? cutRanges(
            job.instructions,
            this.options.depth ?? scenario.depth ?? 1,
            this.kindsOf(job.target),
            this.budget,
          )
        : [pointRange(point, this.budget)];
    return ranges.map((range) => this.request(job, range));
  }

  private kindsOf(target: LabTarget): number {
    const { kinds } = target.scenario;
    return kinds === undefined ? this.options.kinds : this.options.kinds & kindSet(kinds);
  }

  /** An executor's answer to a unit, or to a part of one that it split. */
  result(request: UnitRequest, result: UnitResult): void {
    const job = this.owner.get(request.id);
    if (job === undefined) return;
    job.keep(request, result);
    this.points += result.points;
    this.done += rangeWork(request.range);
    if (this.total === 0) this.measured++;
    this.onProgress({
      measured: { done: this.measured, total: this.jobs.length },
      done: Math.min(this.done, this.total),
      total: this.total,
      points: this.points,
      scenario: job.target.scenario.name,
    });
  }

  /** A point was not judged, because no worker process survives it. */
  lost(request: UnitRequest, how: string): void {
    const job = this.owner.get(request.id);
    if (job === undefined) return;
    const measuring = isMeasuring(request.range);
    const cost = measuring
      ? 'the run without exceptions, which comes first, did not end'
      : 'the point was not judged';
    const problem = {
      kind: 'worker-died',
      point: measuring ? undefined : singlePoint(request.range),
      at: '',
      detail: `the worker process died (${how}); ${cost}`,
    } as const;
    job.incomplete = true;
    job.keep(request, failedUnit(request.id, problem));
  }

  private report(seconds: number): SweepReport {
    const { policies, point } = this.options;
    const scenarios = this.jobs.map((job) => {
      const depth = this.options.depth ?? job.target.scenario.depth ?? 1;
      const partial = this.isInterrupted && !job.isAnswered;
      const whole = point === undefined && job.problems.length === 0 && !job.incomplete && !partial;
      const merged = mergeScenario(
        job.target,
        policies,
        job.instructions,
        job.results(),
        job.problems,
        whole ? { policies, kinds: this.kindsOf(job.target), depth } : undefined,
        (at, policy) => this.options.replay(job.target, at, policy),
      );
      const told = partial ? { ...merged, partial } : merged;
      if (job.target.reportsCoverage !== true) return told;
      return { ...told, coverage: job.coverage ?? noCoverage(job.target.scenario.entry) };
    });
    const isPartial = scenarios.some(({ partial }) => partial === true);
    const points = scenarios.reduce((sum, { points: count }) => sum + count, 0);
    return {
      version: 1,
      ...(isPartial ? { partial: { done: this.done, total: this.total } } : {}),
      points,
      compared: scenarios.reduce((sum, { compared }) => sum + compared, 0),
      seconds: Math.round(seconds * 1000) / 1000,
      pointsPerSecond: Math.round(points / seconds),
      jobs: this.executor.jobs,
      unexpected: scenarios.reduce((sum, { unexpected }) => sum + unexpected, 0),
      untaken: sumUntaken(scenarios.map(({ untaken }) => untaken)),
      policies: total(policies, scenarios, 'policies'),
      bestEffort: total(policies, scenarios, 'bestEffort'),
      scenarios,
    };
  }
}

function total(
  policies: readonly PolicyName[],
  scenarios: readonly ScenarioReport[],
  part: 'policies' | 'bestEffort',
): Partial<Record<PolicyName, VerdictCounts>> {
  const totals: Partial<Record<PolicyName, VerdictCounts>> = {};
  for (const policy of policies) {
    const sum = noVerdicts();
    for (const scenario of scenarios) {
      const counts = scenario[part][policy];
      if (counts === undefined) continue;
      for (const verdict of VERDICTS) sum[verdict] += counts[verdict];
    }
    totals[policy] = sum;
  }
  return totals;
}
