/**
 * A whole sweep: measures every scenario, cuts the work into units, lets the workers have them, and
 * puts the answers together into a report.
 */
import { availableParallelism } from 'node:os';
import { kindSet } from '../kernel-model/exception-kind.js';
import type { PolicyName } from '../unwinder/policy.js';
import { mergeScenario } from './merge.js';
import { formatPoint, type Point } from '../lab/point.js';
import { noVerdicts, type ScenarioReport, type SweepReport, type VerdictCounts } from './report.js';
import type { UnwinderChoice } from '../lab/stack-walker.js';
import type { SweepRange } from './scenario-sweep.js';
import {
  failedUnit,
  type ProblemReport,
  type UnitRequest,
  type UnitResult,
  type WalkExample,
} from './unit.js';
import {
  compareRanges,
  cutRanges,
  isMeasuring,
  measuringRange,
  NO_LIMIT,
  rangeWork,
} from './range.js';
import type { LabTarget } from '../lab/target.js';
import { VERDICTS } from '../scenarios/verdict.js';
import { WorkerPool } from './worker-pool.js';

/** What to sweep, and how. */
export interface SweepOptions {
  readonly targets: readonly LabTarget[];
  readonly policies: readonly PolicyName[];
  /** Kinds, as bits. Each scenario's own restriction applies besides. */
  readonly kinds: number;
  /** Instead of each scenario's own depth. */
  readonly depth?: 1 | 2;
  /** Take this point only. One target. */
  readonly point?: Point;
  /** Whose walks; default: the model's. */
  readonly unwinder?: UnwinderChoice;
  /** Worker processes; default: cores. */
  readonly jobs?: number;
  /** Instructions after which a guest has run away. */
  readonly budget?: number;
  /** Kill the worker that takes this point (or, with `run`, that measures): for tests. */
  readonly crashAt?: string;
  /**
   * The command line that replays a point: with a policy for its walk to be looked at, without one
   * where no walk came about.
   */
  readonly replay: (target: LabTarget, point: string, policy?: PolicyName) => string;
}

/** How far a sweep is. */
export interface SweepProgress {
  /** Work done, of all work, in no particular unit; 0 of 0 while scenarios are being measured. */
  readonly done: number;
  readonly total: number;
  readonly points: number;
  readonly scenario: string;
}

/** What a sweep gives back. */
export interface SweepOutcome {
  readonly report: SweepReport;
  /** When a single point was asked for: all its walks. */
  readonly walks: readonly WalkExample[];
  /** Largest resident set of a worker, in bytes. */
  readonly peakMemory: number;
}

/** A sweep that could not be done. */
export interface SweepFailure {
  readonly kind: 'workers' | 'interrupted';
  readonly message: string;
}

/** Instructions a scenario may execute when the caller does not say. */
export const DEFAULT_BUDGET = 2_000_000;

/** The answer for a unit, or for a part of one that was cut up. */
interface Answer {
  readonly range: UnitRequest['range'];
  readonly result: UnitResult;
}

interface Job {
  readonly target: LabTarget;
  instructions: number;
  readonly requests: UnitRequest[];
  readonly answers: Map<number, Answer[]>;
  readonly problems: ProblemReport[];
  /** A point was not judged. */
  incomplete: boolean;
}

/** One sweep. */
export class Sweep {
  private readonly jobs: Job[];
  private readonly pool: WorkerPool;
  private readonly owner = new Map<number, Job>();
  private failure: string | undefined;
  private nextId = 0;
  private done = 0;
  private total = 0;
  private points = 0;

  constructor(
    private readonly options: SweepOptions,
    private readonly onProgress: (progress: SweepProgress) => void = () => undefined,
  ) {
    this.jobs = options.targets.map((target) => ({
      target,
      instructions: 0,
      requests: [],
      answers: new Map(),
      problems: [],
      incomplete: false,
    }));
    this.pool = new WorkerPool(this.jobCount, {
      result: (request, result) => {
        this.onResult(request, result);
      },
      lost: (request, how) => {
        this.onLost(request, how);
      },
      failed: (message) => {
        this.failure ??= message;
      },
    });
  }

  private get jobCount(): number {
    return this.options.jobs ?? availableParallelism();
  }

  /** End it early: workers are killed, {@link run} resolves with a failure. */
  abort(): void {
    this.failure ??= 'interrupted';
    void this.pool.close();
  }

  /** Do it. */
  async run(): Promise<SweepOutcome | SweepFailure> {
    const started = process.hrtime.bigint();
    await this.pool.run(this.jobs.map((job) => this.request(job, measuringRange(this.budget))));
    for (const job of this.jobs) this.takeMeasure(job);
    if (this.failure === undefined) {
      const units = this.jobs.flatMap((job) => this.cut(job));
      this.total = units.reduce((sum, { range }) => sum + rangeWork(range), 0);
      this.done = 0;
      await this.pool.run(units);
    }
    await this.pool.close();
    const seconds = Number(process.hrtime.bigint() - started) / 1e9;
    if (this.failure !== undefined) {
      const kind = this.failure === 'interrupted' ? 'interrupted' : 'workers';
      return { kind, message: this.failure };
    }
    return {
      report: this.report(seconds),
      walks: this.jobs.flatMap((job) => allResults(job).flatMap((result) => result.walks)),
      peakMemory: this.pool.peakMemory,
    };
  }

  private get budget(): number {
    return this.options.budget ?? DEFAULT_BUDGET;
  }

  private request(job: Job, range: Omit<SweepRange, 'entry'>): UnitRequest {
    const request: UnitRequest = {
      id: this.nextId++,
      target: job.target,
      policies: this.options.policies,
      range,
      unwinder: this.options.unwinder ?? 'model',
      ...(this.options.crashAt === undefined ? {} : { crashAt: this.options.crashAt }),
      ...(this.options.point === undefined ? {} : { verbose: true }),
    };
    job.requests.push(request);
    this.owner.set(request.id, job);
    return request;
  }

  /** The first answer of a job is the run without points: how long it is, and whether it is right. */
  private takeMeasure(job: Job): void {
    const [measured] = allResults(job);
    job.answers.clear();
    job.requests.length = 0;
    if (measured === undefined) return;
    job.instructions = measured.instructions;
    job.problems.push(...measured.problems);
    const expected = job.target.scenario.result;
    if (measured.finished && expected !== undefined && measured.result !== expected) {
      const detail = `returned ${measured.result ?? 'nothing'} instead of ${expected}`;
      job.problems.push({ kind: 'wrong-result', point: undefined, at: '', detail });
    }
  }

  private cut(job: Job): UnitRequest[] {
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

  private onResult(request: UnitRequest, result: UnitResult): void {
    const job = this.owner.get(request.id);
    if (job === undefined) return;
    keep(job, request, result);
    this.points += result.points;
    this.done += rangeWork(request.range);
    this.onProgress({
      done: Math.min(this.done, this.total),
      total: this.total,
      points: this.points,
      scenario: job.target.scenario.name,
    });
  }

  private onLost(request: UnitRequest, how: string): void {
    const job = this.owner.get(request.id);
    if (job === undefined) return;
    const measuring = isMeasuring(request.range);
    const lost = measuring
      ? 'the run without exceptions, which comes first, did not end'
      : 'the point was not judged';
    const problem = {
      kind: 'worker-died',
      point: measuring ? undefined : singlePoint(request.range),
      at: '',
      detail: `the worker process died (${how}); ${lost}`,
    } as const;
    job.incomplete = true;
    keep(job, request, failedUnit(request.id, problem));
  }

  private report(seconds: number): SweepReport {
    const { policies, point } = this.options;
    const scenarios = this.jobs.map((job) => {
      const depth = this.options.depth ?? job.target.scenario.depth ?? 1;
      const whole = point === undefined && job.problems.length === 0 && !job.incomplete;
      return mergeScenario(
        job.target,
        policies,
        job.instructions,
        allResults(job),
        job.problems,
        whole ? { policies, kinds: this.kindsOf(job.target), depth } : undefined,
        (at, policy) => this.options.replay(job.target, at, policy),
      );
    });
    const points = scenarios.reduce((sum, { points: count }) => sum + count, 0);
    return {
      version: 1,
      points,
      compared: scenarios.reduce((sum, { compared }) => sum + compared, 0),
      seconds: Math.round(seconds * 1000) / 1000,
      pointsPerSecond: Math.round(points / seconds),
      jobs: this.jobCount,
      unexpected: scenarios.reduce((sum, { unexpected }) => sum + unexpected, 0),
      policies: total(policies, scenarios, 'policies'),
      bestEffort: total(policies, scenarios, 'bestEffort'),
      scenarios,
    };
  }
}

function keep(job: Job, { id, range }: UnitRequest, result: UnitResult): void {
  const known = job.answers.get(id);
  if (known === undefined) job.answers.set(id, [{ range, result }]);
  else known.push({ range, result });
}

/**
 * Results in the order of the units, and within a unit that was cut up by what they cover: parts are
 * answered in any order.
 */
function allResults(job: Job): UnitResult[] {
  return job.requests.flatMap(({ id }) => {
    const answers = job.answers.get(id) ?? [];
    return answers.sort((a, b) => compareRanges(a.range, b.range)).map(({ result }) => result);
  });
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

/** The range that holds just one point. */
export function pointRange(point: Point, budget: number): Omit<SweepRange, 'entry'> {
  const { index, kind, inner } = point;
  return {
    from: index,
    to: index + 1,
    kinds: inner === undefined ? 1 << kind : 0,
    outerKinds: inner === undefined ? 0 : 1 << kind,
    innerKinds: inner === undefined ? 0 : 1 << inner.kind,
    innerFrom: inner?.index ?? 0,
    innerTo: inner === undefined ? NO_LIMIT : inner.index + 1,
    budget,
  };
}

/** The name of the only point in a range. */
function singlePoint(range: Omit<SweepRange, 'entry'>): string {
  const kindOf = (set: number): number => 31 - Math.clz32(set);
  const { from: index, kinds, outerKinds, innerKinds, innerFrom } = range;
  return formatPoint(
    outerKinds === 0
      ? { index, kind: kindOf(kinds) }
      : { index, kind: kindOf(outerKinds), inner: { index: innerFrom, kind: kindOf(innerKinds) } },
  );
}
