/** `kunwind-lab sweep`. */
import { availableParallelism, constants } from 'node:os';
import type { CommandModule } from 'yargs';
import { openBackend } from '../emulator/backend.js';
import { KIND_NAMES } from '../kernel-model/exception-kind.js';
import type { EngineBackend } from '../emulator/engine.js';
import { Lab } from '../lab/lab.js';
import type { UnitExecutor } from '../sweep/executor.js';
import { InProcessExecutor } from '../sweep/in-process.js';
import { kernelSample } from '../sweep/kernel-sample.js';
import { UnitRunner } from '../sweep/run-unit.js';
import { Sweep, type SweepOptions, type SweepOutcome } from '../sweep/sweep.js';
import { WorkerPool } from '../sweep/worker-pool.js';
import { POLICIES } from '../unwinder/policies/all.js';
import { findingLines } from './findings.js';
import { complain, print } from './output.js';
import { replayDisagreements, replayLines } from './point-replay.js';
import { progressDisplay } from './progress.js';
import { ReportFile } from './report-file.js';
import { outputStyle, plural, type Style } from './style.js';
import { summaryLines, verdictLine } from './summary.js';
import { type SweepArguments, type SweepRequest, sweepRequest } from './sweep-options.js';
import { plainKernel } from './kernel-option.js';
import { UsageError } from './usage-error.js';

const OPTIONS = {
  policy: {
    type: 'string',
    array: true,
    describe: `Policies: ${Object.keys(POLICIES).join(', ')}`,
  },
  kind: { type: 'string', array: true, describe: `Exceptions to take: ${KIND_NAMES.join(', ')}` },
  depth: { type: 'string', describe: "2: also interrupt the first exception's own code" },
  jobs: {
    type: 'string',
    describe: 'Worker processes [default: one for each core]; 1: none, see below',
  },
  json: { type: 'string', describe: 'Write the whole report to this file' },
  point: { type: 'string', describe: 'Replay this point only, truth beside trace' },
  budget: { type: 'string', describe: 'Instructions after which a guest has run away' },
  image: { type: 'string', describe: 'Sweep a function of this AArch64 ELF (.gz accepted)' },
  kernel: { type: 'string', describe: 'Run this vmlinux itself: its vectors, entry and exit code' },
  offsets: { type: 'string', describe: 'Structure offsets of that kernel, as in asm-offsets.h' },
  sample: {
    type: 'string',
    describe: 'Also sweep this many C functions of the kernel; of each --function with *, so many',
  },
  seed: { type: 'string', describe: 'Which functions those are [default: 1]' },
  unwinder: {
    type: 'string',
    describe: 'Who walks: model, kernel (its own code), both [default with --kernel], checked',
  },
  function: {
    type: 'string',
    array: true,
    describe: 'The function of the image to call; those of the kernel [default: arch/arm64/lib]',
  },
  args: {
    type: 'string',
    array: true,
    describe: 'Its arguments: 100, -0x10, buf:SIZE, buf:SIZE:FILL, self:SIZE, str:TEXT',
  },
} as const;

/** The command, for yargs. */
export const sweepCommand: CommandModule<object, SweepArguments> = {
  command: 'sweep [scenario..]',
  describe: 'Interrupt scenarios at every instruction and judge every stack walk',
  builder: (yargs) =>
    yargs
      .positional('scenario', {
        type: 'string',
        array: true,
        describe: 'Names, families, or patterns with * (default: all)',
      })
      .options(OPTIONS)
      .options({
        color: {
          type: 'boolean',
          default: true,
          describe: 'Colours on a terminal; off: --no-color, NO_COLOR',
        },
        progress: {
          type: 'boolean',
          default: true,
          describe: 'Progress on standard error; off: --no-progress',
        },
      })
      .example('$0 sweep', 'everything, at the depth each scenario asks for')
      .example("$0 sweep leaf 'calls/*pac*' --policy sframe-strict", 'some scenarios, one policy')
      .example('$0 sweep leaf/memcpy --point 12:irq/40:sdei', 'one point, truth beside trace')
      .example(
        '$0 sweep --image vmlinux.gz --function __pi_memcpy --args buf:256 buf:256 100',
        'a function of a real kernel, interrupted by the built-in one',
      )
      .example('$0 sweep --kernel vmlinux.gz --sample 200', "a real kernel's own entry code")
      .epilogue(
        'Exit status: 0 all as promised, 1 unexpected verdicts, 2 wrong usage or input. When the ' +
          'engine aborts or a guest hangs, a worker process and one point are lost. --jobs 1 runs ' +
          'in this process: then the whole run is.',
      ),
  handler: async (given) => {
    process.exitCode = await sweep(given);
  },
};

/** @returns the exit status. @throws UsageError */
async function sweep(given: SweepArguments): Promise<number> {
  const kernel = await plainKernel(given.kernel);
  const request = sweepRequest(given, kernel);
  const { reportPath } = request;
  const file = reportPath === undefined ? undefined : new ReportFile(reportPath);
  const engine = await openBackend();
  if (!engine.ok) throw new UsageError(engine.error.message);
  for (const note of request.notes) complain(note);
  const options = withSample(request, engine.value);

  const executor = executorFor(request.jobs, engine.value);
  const outcome = await run(options, executor, given.progress);
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
 * What executes the sweep. One job needs no worker process, and has its protection only by default:
 * see in-process.ts. @throws UsageError
 */
function executorFor(jobs: number | undefined, backend: EngineBackend): UnitExecutor {
  if (jobs !== 1) return new WorkerPool({ jobs: jobs ?? availableParallelism() });
  const lab = Lab.create(backend);
  if (!lab.ok) throw new UsageError(lab.error.message);
  return new InProcessExecutor(new UnitRunner(lab.value));
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
      (left.length > why.length ? `, and ${left.length - why.length} more reasons` : ''),
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

/** An image that no machine can be built with is wrong input, and not a finding. */
function checkSetUp({ report }: SweepOutcome): void {
  for (const { problems } of report.scenarios) {
    const problem = problems.find(({ kind }) => kind === 'setup');
    if (problem !== undefined) throw new UsageError(problem.detail);
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
      `${name} executes ${plural(instructions, 'instruction')}: there is no number ${point.index}`,
    );
  }
  const kind = KIND_NAMES[point.inner?.kind ?? point.kind] ?? '?';
  const where = point.inner === undefined ? `instruction ${point.index}` : 'that inner instruction';
  throw new UsageError(`${name}: no ${kind} is possible at ${where}`);
}
