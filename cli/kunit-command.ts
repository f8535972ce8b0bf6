/** `kunwind-lab kunit`. */
import type { CommandModule } from 'yargs';
import { openBackend } from '../emulator/backend.js';
import { SUITE_NAME } from '../kunit/cases.js';
import { compareSuites, differenceText } from '../kunit/compare.js';
import { type JunitRun, junitDocument } from '../kunit/junit.js';
import { ktapLines } from '../kunit/ktap-write.js';
import { runKunit } from '../kunit/kunit-run.js';
import { buildMatrix } from '../kunit/matrix.js';
import type { References } from '../kunit/reference-folder.js';
import { parseSuiteLogs } from '../kunit/reliable-stacktrace-log.js';
import { suiteDocument, type SuiteRun } from '../kunit/suite-ktap.js';
import { describeSuiteLogError } from '../kunit/suite-log-error.js';
import { POLICIES } from '../unwinder/policies/all.js';
import { type KunitArguments, kunitRequest } from './kunit-options.js';
import { matrixLines } from './kunit-matrix.js';
import { complain, print } from './output.js';
import { ReportFile } from './report-file.js';
import { outputStyle, plural, type Style } from './style.js';
import { UsageError } from './usage-error.js';

/** The command, for yargs. */
export const kunitCommand: CommandModule<object, KunitArguments> = {
  command: 'kunit',
  describe: 'Run the reliable-stacktrace tests in the simulated kernel; prints KTAP',
  builder: (yargs) =>
    yargs
      .options({
        policy: {
          type: 'string',
          array: true,
          describe: `Policies: ${Object.keys(POLICIES).join(', ')}`,
        },
        case: {
          type: 'string',
          array: true,
          describe: 'Cases, or patterns with * (default: all 22)',
        },
        compare: {
          type: 'string',
          describe: 'Compare with the logs POLICY.ktap of this folder; prints the differences',
        },
        matrix: {
          type: 'boolean',
          default: false,
          describe: 'Print cases by policies instead of KTAP',
        },
        junit: { type: 'string', describe: 'Write JUnit XML to this file' },
        'stack-shift': {
          type: 'string',
          describe: 'Begin stacks this many bytes lower (a multiple of 16)',
        },
        jobs: { type: 'string', describe: 'Worker processes [default: one for each core]' },
        color: {
          type: 'boolean',
          default: true,
          describe: 'Colours on a terminal; off: --no-color, NO_COLOR',
        },
      })
      .example('$0 kunit --policy sframe-strict', 'what a kernel with that unwinder prints')
      .example("$0 kunit --case '*fgraph*' --matrix", 'some cases under every policy')
      .example(
        '$0 kunit --policy sframe-v6 --case kprobe_unwind_reliable --stack-shift 16',
        'bit 4 of the CFA is clear: v6 does not refuse it',
      )
      .example('$0 kunit --compare shared/reference/kunit', 'agreement with a real kernel')
      .epilogue(
        'Exit status: 0 all passed, 1 a case failed, 2 wrong usage or input. ' +
          'With --compare: 0 no differences, 1 some.',
      ),
  handler: async (given) => {
    process.exitCode = await kunit(given);
  },
};

/** @returns the exit status. @throws UsageError */
async function kunit(given: KunitArguments): Promise<number> {
  const { options, references, junitPath } = kunitRequest(given);
  const file = junitPath === undefined ? undefined : new ReportFile(junitPath);
  const engine = await openBackend();
  if (!engine.ok) throw new UsageError(engine.error.message);

  const outcome = await runKunit(options);
  if (!outcome.ok) throw new UsageError(outcome.error);
  const ktap = [...ktapLines(suiteDocument(outcome.value))];
  const runs = readBack(ktap, outcome.value);
  if (file !== undefined) {
    // Only here: no other run needs the XML library.
    const { xmlText } = await import('../kunit/junit-xml.js');
    file.writeText(xmlText(junitDocument(SUITE_NAME, runs)));
  }
  const differences = references === undefined ? [] : compareAll(runs, references);
  const failed =
    references === undefined ? runs.some(({ suite }) => !suite.ok) : differences.length;
  const status = failed === false || failed === 0 ? 0 : 1;
  // A reader that closes the pipe early ends the program with this status.
  process.exitCode = status;
  const style = outputStyle(given.color);
  if (given.matrix)
    await print(matrixLines(buildMatrix(runs.map((run) => run.suite)), runs, style));
  if (references !== undefined) {
    await print(comparisonLines(runs, references, differences, style));
  } else if (!given.matrix) {
    await print(ktap);
  }
  return status;
}

/** What the KTAP says is all that is compared and summed up: it must carry everything. */
function readBack(ktap: readonly string[], suites: readonly SuiteRun[]): JunitRun[] {
  const read = parseSuiteLogs(`${ktap.join('\n')}\n`);
  if (!read.ok) throw new Error(describeSuiteLogError('our own KTAP', read.error));
  return suites.map(({ policy, cases }, i) => {
    const suite = read.value[i];
    if (suite?.policy !== policy) throw new Error(`our own KTAP lacks ${policy}`);
    return { policy, suite, seconds: cases.reduce((sum, { run }) => sum + run.seconds, 0) };
  });
}

function compareAll(runs: readonly JunitRun[], { logs }: References): string[] {
  return runs.flatMap(({ policy, suite }) => {
    const reference = [...logs].find(([name]) => name === policy)?.[1];
    if (reference === undefined) return [];
    return compareSuites(suite, reference).map((one) => `${policy}: ${differenceText(one)}`);
  });
}

function* comparisonLines(
  runs: readonly JunitRun[],
  { logs, absent }: References,
  differences: readonly string[],
  { colors }: Style,
): Generator<string> {
  yield* differences;
  const compared = runs.filter(({ policy }) => [...logs.keys()].some((name) => name === policy));
  const results = compared.reduce((sum, { suite }) => sum + suite.totals.total, 0);
  const what = `${plural(results, 'result')} under ${compared.map(({ policy }) => policy).join(', ')}`;
  const verdict =
    differences.length === 0 ? 'as the reference' : plural(differences.length, 'difference');
  yield `${what}: ${differences.length === 0 ? colors.green(verdict) : colors.red(verdict)}`;
  if (absent.length > 0) complain(`not compared, no reference log: ${absent.join(', ')}`);
}
