/** What `kunwind-lab kunit` does. */
import { WorkerDeaths } from '../base/worker-deaths.js';
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
import { matrixLines } from './kunit-matrix.js';
import { type KunitArguments, kunitRequest } from './kunit-options.js';
import { complain, complainOf, print } from './output.js';
import { ReportFile, textStream } from './report-file.js';
import { stepProgress } from './step-progress.js';
import { plural } from '../base/number-text.js';
import { outputStyle, type Style } from './style.js';
import { UsageError } from './usage-error.js';

/** This many runs of a case take seconds. */
const MANY_RUNS = 50;

/** Run the cases, and print or compare the results. @returns the exit status. @throws UsageError */
export async function kunit(given: KunitArguments): Promise<number> {
  const { options, references, junitPath } = kunitRequest(given);
  const file = junitPath === undefined ? undefined : new ReportFile(junitPath);
  const engine = await openBackend();
  if (!engine.ok) throw new UsageError(engine.error.message);

  const deaths = new WorkerDeaths();
  const { cases, policies } = options;
  const what = `running ${plural(cases.length, 'case')} under ${policies.length === 1 ? '1 policy' : `${policies.length} policies`}`;
  const display = stepProgress(what, { long: cases.length * policies.length >= MANY_RUNS });
  const outcome = await runKunit({
    ...options,
    died: deaths.add,
    progress: (done, total) => {
      display.update(done, total);
    },
  }).finally(() => {
    display.stop();
  });
  complainOf(deaths);
  if (!outcome.ok) throw new UsageError(outcome.error);
  const ktap = [...ktapLines(suiteDocument(outcome.value))];
  const runs = readBack(ktap, outcome.value);
  const differences = references === undefined ? [] : compareAll(runs, references);
  const failed =
    references === undefined ? runs.some(({ suite }) => !suite.ok) : differences.length;
  const status = failed === false || failed === 0 ? 0 : 1;
  // Set this early: a reader that closes the pipe ends the program with this status.
  process.exitCode = status;
  if (file !== undefined) {
    // Imported only here, because no other run needs the XML library.
    const { xmlText } = await import('../kunit/junit-xml.js');
    await file.writeText(xmlText(junitDocument(SUITE_NAME, runs)));
  }
  const text = textStream(file);
  const style = outputStyle(given.color, text);
  if (given.matrix)
    await print(matrixLines(buildMatrix(runs.map((run) => run.suite)), runs, style), text);
  if (references !== undefined) {
    await print(comparisonLines(runs, references, differences, style), text);
  } else if (!given.matrix) {
    await print(ktap, text);
  }
  return status;
}

/**
 * Read our own KTAP back. Only what it says is compared and summed up, which proves that it carries
 * everything.
 */
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
    differences.length === 0 ? 'same as the reference' : plural(differences.length, 'difference');
  yield `${what}: ${differences.length === 0 ? colors.green(verdict) : colors.red(verdict)}`;
  if (absent.length > 0) complain(`not compared, no reference log: ${absent.join(', ')}`);
}
