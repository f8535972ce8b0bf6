/** What `kunwind-lab sweep` does. */
import { availableParallelism, constants } from 'node:os';
import { matchesPattern } from '../base/name-pattern.js';
import { WorkerDeaths } from '../base/worker-deaths.js';
import { openBackend } from '../emulator/backend.js';
import type { EngineBackend } from '../emulator/engine.js';
import { KIND_NAMES, kindNames } from '../kernel-model/exception-kind.js';
import { Lab } from '../lab/lab.js';
import type { UnitExecutor } from '../sweep/executor.js';
import { InProcessExecutor } from '../sweep/in-process.js';
import { kernelSample } from '../sweep/kernel-sample.js';
import { UnitRunner } from '../sweep/run-unit.js';
import { agreementSweep, policyAgreements } from '../sweep/policy-agreement.js';
import type { SweepReport } from '../sweep/report.js';
import { Sweep, type SweepOptions, type SweepOutcome } from '../sweep/sweep.js';
import { WorkerPool } from '../sweep/worker-pool.js';
import { complain, complainOf, print } from './output.js';
import { decompressFiles, prepareKernel } from './plain-files.js';
import { progressDisplay } from './progress.js';
import { ReportFile, textStream } from './report-file.js';
import { stepProgress } from './step-progress.js';
import { firstNames, plural } from '../base/number-text.js';
import { outputStyle, sweepWidth } from './style.js';
import { pointLines, sweepLines } from './summary.js';
import {
  type ExpectedFunction,
  type SweepArguments,
  type SweepRequest,
  sweepRequest,
} from './sweep-options.js';
import { tooLittle } from './sweep-coverage.js';
import { UsageError } from './usage-error.js';

/** An outcome, and the exit status for the signal that interrupted the sweep, if any. */
interface Swept extends SweepOutcome {
  readonly interrupted?: number;
}

/** Sweep, print the results and write the report. @returns the exit status. @throws UsageError */
export async function sweep(given: SweepArguments): Promise<number> {
  await decompressFiles(given.image);
  await prepareKernel(given.kernel);
  const request = sweepRequest(given);
  const { reportPath } = request;
  const file = reportPath === undefined ? undefined : new ReportFile(reportPath);
  file?.mustNotReplace('--json', given.image, given.kernel, given.offsets);
  const engine = await openBackend();
  if (!engine.ok) throw new UsageError(engine.error.message);
  for (const note of request.notes) complain(note);
  const options = expecting(
    await withSample(request, engine.value, given.progress),
    request.expectExact?.flatMap(({ names }) => names),
  );

  const outcome = await execute(options, request.jobs, engine.value, given.progress);
  if (typeof outcome === 'number') return outcome;
  const { interrupted } = outcome;
  const report =
    request.unknownPolicy && interrupted === undefined
      ? await withAgreements(options, outcome.report, request.jobs, engine.value)
      : outcome.report;
  if (given.image !== undefined || given.kernel !== undefined) checkSetUp(outcome);
  if (options.point !== undefined) checkPointTaken(options, outcome);
  else checkAnyTaken(options, outcome);
  if (report.partial === undefined) checkExpected(request.expectExact, report);
  const few = options.point === undefined ? tooLittle(report, request.minCoverage) : undefined;
  const status = interrupted ?? (report.unexpected === 0 && few === undefined ? 0 : 1);
  // Set this early: a reader that closes the pipe ends the program with this status.
  process.exitCode = status;
  const text = textStream(file);
  const style = outputStyle(given.color, text, sweepWidth());
  try {
    await file?.write(report);
  } finally {
    // What was found is told even where there is no room for a report.
    await print(
      options.point === undefined
        ? sweepLines({ ...outcome, report }, given.known, style)
        : pointLines({ ...outcome, report }, style),
      text,
    );
  }
  if (report.partial !== undefined) {
    const written = file === undefined ? '' : ', and so is the report';
    complain(`interrupted after ${plural(report.points, 'point')}: this is partial${written}`);
  }
  if (few !== undefined) complain(few);
  return status;
}

/**
 * Execute a sweep. With `--jobs 1` it runs in this process, unprotected; see in-process.ts.
 * @returns the outcome, or the exit status when there is none
 * @throws UsageError
 */
async function execute(
  options: SweepOptions,
  jobs: number | undefined,
  backend: EngineBackend,
  progress: boolean,
): Promise<Swept | number> {
  if (jobs !== 1) {
    const deaths = new WorkerDeaths();
    const pool = new WorkerPool({ jobs: jobs ?? availableParallelism(), died: deaths.add });
    return await run(options, pool, progress).finally(() => {
      complainOf(deaths);
    });
  }
  const lab = Lab.create(backend);
  if (!lab.ok) throw new UsageError(lab.error.message);
  try {
    return await run(options, new InProcessExecutor(new UnitRunner(lab.value)), progress);
  } finally {
    lab.value.close();
  }
}

/**
 * The report. If it is in doubt which policy the kernel's only unwinder follows, agreements are
 * added.
 */
async function withAgreements(
  options: SweepOptions,
  report: SweepReport,
  jobs: number | undefined,
  backend: EngineBackend,
): Promise<SweepReport> {
  const again = agreementSweep(options, report);
  if (again === undefined) return report;
  const outcome = await execute(again, jobs, backend, false);
  return typeof outcome === 'number'
    ? report
    : { ...report, agreements: policyAgreements(outcome.report) };
}

/** The options with the sampled functions added. @throws UsageError */
async function withSample(
  { options, sample }: SweepRequest,
  backend: EngineBackend,
  progress: boolean,
): Promise<SweepOptions> {
  if (sample === undefined) return options;
  const what = `choosing ${plural(sample.count, 'function')} of ${sample.source.file}`;
  const display = stepProgress(what, { wanted: progress, long: true });
  const made = await kernelSample(backend, sample, (share) => {
    display.update(Math.floor(1000 * share), 1000);
  }).finally(() => {
    display.stop();
  });
  if (!made.ok) throw new UsageError(made.error);
  const { targets, calls, tried, left } = made.value;
  const why = left.slice(0, 4).map(([reason, times]) => `${reason} (${times})`);
  complain(
    `${plural(calls.length, 'function')} of ${tried} tried; left out: ${why.join(', ')}` +
      (left.length > why.length ? `, and ${plural(left.length - why.length, 'more reason')}` : ''),
  );
  return { ...options, targets: [...options.targets, ...targets] };
}

/** The options with what is expected of the functions. */
function expecting(
  options: SweepOptions,
  expectExact: readonly string[] | undefined,
): SweepOptions {
  if (expectExact === undefined) return options;
  const targets = options.targets.map((target) => ({
    ...target,
    scenario: { ...target.scenario, expectExact },
  }));
  return { ...options, targets };
}

/** @returns the outcome, or the exit status when there is none */
async function run(
  options: SweepOptions,
  executor: UnitExecutor,
  progress: boolean,
): Promise<Swept | number> {
  const kinds = kindNames(options.kinds);
  const what =
    `${plural(options.targets.length, 'scenario')}: ` +
    `policies ${options.policies.join(', ')}; kinds ${kinds.join(', ')}`;
  const display = progressDisplay(
    progress && options.point === undefined,
    options.targets.length,
    what,
  );
  let points = 0;
  const sweep = new Sweep(options, executor, (state) => {
    points = state.points;
    display.update(state);
  });
  let signal: 'SIGINT' | 'SIGTERM' | undefined;
  const onSignal = (name: NodeJS.Signals): void => {
    signal = name === 'SIGTERM' ? 'SIGTERM' : 'SIGINT';
    sweep.abort();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  const outcome = await sweep.run().finally(() => {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    display.stop();
  });
  const interrupted = signal === undefined ? undefined : 128 + constants.signals[signal];
  if (interrupted !== undefined && !('report' in outcome)) {
    complain(`interrupted after ${plural(points, 'point')}; no report was written`);
    return interrupted;
  }
  if ('report' in outcome)
    return { ...outcome, ...(interrupted === undefined ? {} : { interrupted }) };
  throw new UsageError(outcome.message);
}

/**
 * An image that cannot be loaded into a machine, or code that needs symbols of another file, is
 * wrong input and not a finding.
 * @throws UsageError
 */
function checkSetUp({ report }: SweepOutcome): void {
  for (const { name, problems } of report.scenarios) {
    const problem = problems.find(({ kind }) => kind === 'setup' || kind === 'undefined-symbol');
    if (problem === undefined) continue;
    const place = problem.kind === 'setup' ? '' : `${name}: `;
    throw new UsageError(`${place}${problem.detail}`);
  }
}

/** A sweep that judged nothing must not count as a success. @throws UsageError */
function checkAnyTaken({ targets, kinds }: SweepOptions, { report }: SweepOutcome): void {
  if (report.points > 0 || report.unexpected > 0) return;
  const wanted = kindNames(kinds).join(', ');
  const possible = new Set(targets.flatMap(({ scenario }) => scenario.kinds ?? []));
  const only = possible.size === 0 ? '' : `, only ${[...possible].join(', ')}`;
  const where = targets.length === 1 ? (targets[0]?.scenario.name ?? '') : 'these scenarios';
  throw new UsageError(`nothing was judged: no ${wanted} is taken in ${where}${only}`);
}

/** Functions that are named when none of those expected was judged. */
const MAX_JUDGED = 8;

/** An expectation of a function that was never interrupted would always be met. @throws UsageError */
function checkExpected(
  expected: readonly ExpectedFunction[] | undefined,
  { scenarios }: Pick<SweepReport, 'scenarios'>,
): void {
  const judged = [...new Set(scenarios.flatMap(({ judged: functions = [] }) => functions))].sort();
  // Whatever kept it from being swept is a finding.
  if (judged.length === 0) return;
  const isJudged = (pattern: string): boolean =>
    judged.some((name) => matchesPattern(pattern, name));
  const idle = expected?.find(({ names }) => !names.some(isJudged));
  if (idle === undefined) return;
  const shown = firstNames(judged, MAX_JUDGED);
  throw new UsageError(`--in ${idle.text}: no walk was judged there, only in ${shown}`);
}

/** A point at which nothing was judged does not exist. @throws UsageError that says why */
function checkPointTaken({ targets, point }: SweepOptions, { report }: SweepOutcome): void {
  const [scenario] = report.scenarios;
  if (point === undefined || scenario === undefined) return;
  if (report.points > 0 || scenario.problems.length > 0) return;
  const name = targets[0]?.scenario.name ?? '';
  const { instructions } = scenario;
  if (point.index >= instructions) {
    throw new UsageError(
      `${name} executes ${plural(instructions, 'instruction')}: there is no instruction ${point.index}`,
    );
  }
  const kind = KIND_NAMES[point.inner?.kind ?? point.kind] ?? '?';
  const where = point.inner === undefined ? `instruction ${point.index}` : 'that inner instruction';
  throw new UsageError(`${name}: no ${kind} is possible at ${where}`);
}
