/** What `kunwind-lab sweep` does. */
import { availableParallelism, constants } from 'node:os';
import { openBackend } from '../emulator/backend.js';
import type { EngineBackend } from '../emulator/engine.js';
import { KIND_NAMES } from '../kernel-model/exception-kind.js';
import { Lab } from '../lab/lab.js';
import type { UnitExecutor } from '../sweep/executor.js';
import { InProcessExecutor } from '../sweep/in-process.js';
import { kernelSample } from '../sweep/kernel-sample.js';
import { UnitRunner } from '../sweep/run-unit.js';
import { Sweep, type SweepOptions, type SweepOutcome } from '../sweep/sweep.js';
import { WorkerPool } from '../sweep/worker-pool.js';
import { findingLines } from './findings.js';
import { plainKernel } from './kernel-option.js';
import { complain, print } from './output.js';
import { replayDisagreements, replayLines } from './point-replay.js';
import { progressDisplay } from './progress.js';
import { ReportFile } from './report-file.js';
import { outputStyle, plural, type Style } from './style.js';
import { summaryLines, verdictLine } from './summary.js';
import { type SweepArguments, type SweepRequest, sweepRequest } from './sweep-options.js';
import { UsageError } from './usage-error.js';

/** Sweep, print what was found and write the report. @returns the exit status. @throws UsageError */
export async function sweep(given: SweepArguments): Promise<number> {
  const kernel = await plainKernel(given.kernel);
  const request = sweepRequest(given, kernel);
  const { reportPath } = request;
  const file = reportPath === undefined ? undefined : new ReportFile(reportPath);
  const engine = await openBackend();
  if (!engine.ok) throw new UsageError(engine.error.message);
  for (const note of request.notes) complain(note);
  const options = withSample(request, engine.value);

  const outcome = await execute(options, request.jobs, engine.value, given.progress);
  if (typeof outcome === 'number') return outcome;
  const { report } = outcome;
  if (given.image !== undefined || given.kernel !== undefined) checkSetUp(outcome);
  if (options.point !== undefined) checkPointTaken(options, outcome);
  file?.write(report);
  const status = report.unexpected === 0 ? 0 : 1;
  // A reader that closes the pipe early ends the program with this status.
  process.exitCode = status;
  await print(resultLines(options, outcome, outputStyle(given.color)));
  return status;
}

/**
 * One job needs no worker process, and has its protection only by default: see in-process.ts.
 * @returns the outcome, or the exit status when there is none. @throws UsageError
 */
async function execute(
  options: SweepOptions,
  jobs: number | undefined,
  backend: EngineBackend,
  progress: boolean,
): Promise<SweepOutcome | number> {
  if (jobs !== 1) {
    return run(options, new WorkerPool({ jobs: jobs ?? availableParallelism() }), progress);
  }
  const lab = Lab.create(backend);
  if (!lab.ok) throw new UsageError(lab.error.message);
  try {
    return await run(options, new InProcessExecutor(new UnitRunner(lab.value)), progress);
  } finally {
    lab.value.close();
  }
}

/** The options with the sampled functions added. @throws UsageError */
function withSample({ options, sample }: SweepRequest, backend: EngineBackend): SweepOptions {
  if (sample === undefined) return options;
  const made = kernelSample(backend, sample);
  if (!made.ok) throw new UsageError(made.error);
  const { targets, calls, tried, left } = made.value;
  const why = left.slice(0, 4).map(([reason, times]) => `${reason} (${times})`);
  complain(
    `${plural(calls.length, 'function')} of ${tried} tried; left out: ${why.join(', ')}` +
      (left.length > why.length ? `, and ${plural(left.length - why.length, 'more reason')}` : ''),
  );
  return { ...options, targets: [...options.targets, ...targets] };
}

function* resultLines(
  { point }: SweepOptions,
  { report, walks, peakMemory }: SweepOutcome,
  style: Style,
): Generator<string> {
  if (point !== undefined) {
    yield* replayLines(report, walks, style);
    yield* replayDisagreements(report, style);
    if (report.scenarios.some(({ problems }) => problems.length > 0)) {
      yield* findingLines(report, style);
    }
    return;
  }
  yield* summaryLines(report, style);
  yield* findingLines(report, style);
  yield '';
  yield verdictLine(report, peakMemory, style);
}

/** @returns the outcome, or the exit status when there is none */
async function run(
  options: SweepOptions,
  executor: UnitExecutor,
  progress: boolean,
): Promise<SweepOutcome | number> {
  const kinds = KIND_NAMES.filter((_, i) => (options.kinds & (1 << i)) !== 0);
  const what =
    `${plural(options.targets.length, 'scenario')}: ` +
    `policies ${options.policies.join(', ')}; kinds ${kinds.join(', ')}`;
  const display = progressDisplay(progress && options.point === undefined, what);
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
  if (signal !== undefined) {
    complain(`interrupted after ${plural(points, 'point')}; no report was written`);
    return 128 + constants.signals[signal];
  }
  if ('report' in outcome) return outcome;
  throw new UsageError(outcome.message);
}

/**
 * An image that no machine can be built with, or code that needs what another file defines, is
 * wrong input, and not a finding.
 */
function checkSetUp({ report }: SweepOutcome): void {
  for (const { name, problems } of report.scenarios) {
    const problem = problems.find(({ kind }) => kind === 'setup' || kind === 'undefined-symbol');
    if (problem === undefined) continue;
    const place = problem.kind === 'setup' ? '' : `${name}: `;
    throw new UsageError(`${place}${problem.detail}`);
  }
}

/** A point that nothing was judged at does not exist: say why. */
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
