/** What `kunwind-lab sframe verify` does. */
import { statSync } from 'node:fs';
import { availableParallelism, constants } from 'node:os';
import { WorkerDeaths } from '../base/worker-deaths.js';
import { loadProgram } from '../verify/program.js';
import { sarifLog } from '../verify/sarif.js';
import { isPartial } from '../verify/report.js';
import { type PoolOutcome, verifyInPool } from '../verify/verify-pool.js';
import { once, type OptionText, wholeNumber } from './option-values.js';
import { complain, complainOf, print } from './output.js';
import { packageVersion } from './package-version.js';
import { decompressFiles } from './plain-files.js';
import { ReportFile, textStream } from './report-file.js';
import { stepProgress } from './step-progress.js';
import { count } from '../base/number-text.js';
import { UsageError } from './usage-error.js';
import { jsonReport, replayCommand } from './verify-json.js';
import { reportLines } from './verify-text.js';

/** What yargs makes of the command line. */
export interface VerifyArguments {
  readonly file?: string | undefined;
  readonly function?: OptionText;
  readonly jobs?: OptionText;
  readonly json?: OptionText;
  readonly sarif?: OptionText;
}

/**
 * Verify a table, print the findings and write the reports.
 * @returns the exit status
 * @throws UsageError
 */
export async function verify(given: VerifyArguments): Promise<number> {
  const { file } = given;
  if (file === undefined) throw new UsageError('sframe verify needs a FILE');
  const glob = once('function', given.function);
  const jobs = wholeNumber('jobs', given.jobs) ?? availableParallelism();
  const [json, sarif] = [once('json', given.json), once('sarif', given.sarif)];
  const jsonFile = json === undefined ? undefined : new ReportFile(json);
  const sarifFile = sarif === undefined ? undefined : new ReportFile(sarif);
  jsonFile?.mustNotReplace('--json', file);
  sarifFile?.mustNotReplace('--sarif', file);
  if (jsonFile !== undefined && sarifFile?.collidesWith(jsonFile) === true) {
    const where = jsonFile.isOutput ? 'standard output' : (json ?? '');
    throw new UsageError(`--json and --sarif would both be written to ${where}`);
  }
  await decompressFiles(file);
  const started = performance.now();
  const deaths = new WorkerDeaths();
  const display = stepProgress(`verifying ${file}`, { long: isLarge(file) });
  let interrupted: number | undefined;
  const ending = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    interrupted = 128 + constants.signals[name];
    ending.abort();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  const outcome = await verifyInPool({
    file,
    signal: ending.signal,
    glob,
    jobs,
    died: deaths.add,
    progress: (done, total) => {
      display.update(done, total);
    },
  }).finally(() => {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    display.stop();
  });
  complainOf(deaths);
  if (!outcome.ok && interrupted !== undefined) {
    complain('interrupted before any function was verified; no report was written');
    return interrupted;
  }
  if (!outcome.ok) throw new UsageError(outcome.error);
  const { report, layoutNote } = outcome.value;
  if (layoutNote !== undefined) complain(`warning: ${layoutNote}`);
  if (report.functions.total === 0) {
    throw new UsageError(
      glob === undefined
        ? `${file}: its .sframe describes no function`
        : `${file}: no function with an FDE matches '${glob}'`,
    );
  }
  const cost = costLine(outcome.value, started);
  const failed = report.findings.length > 0 || report.skipped.length > 0;
  const status = interrupted ?? (failed ? 1 : 0);
  process.exitCode = status;
  try {
    await jsonFile?.write(jsonReport(file, report));
    await sarifFile?.write(
      sarifLog(file, packageVersion(), report, (fn) => replayCommand(file, fn)),
    );
  } finally {
    // Findings are printed even if a report cannot be written. The program is loaded only now that
    // the workers are gone, because it takes as much memory as one of them.
    const program = report.findings.length === 0 ? undefined : loadProgram(file);
    const known = program?.ok === true ? program.value : undefined;
    await print(await reportLines(file, known, report), textStream(jsonFile, sarifFile));
  }
  if (process.stderr.isTTY) process.stderr.write(`${cost}\n`);
  if (isPartial(report)) {
    complain('interrupted: this is partial, and so is any report that was written');
  }
  return status;
}

/**
 * A file of this many bytes takes seconds to load and verify. Any kernel is larger, even
 * compressed.
 */
const LARGE_FILE = 2 ** 21;

function isLarge(file: string): boolean {
  try {
    const known = statSync(file);
    return known.isFile() && known.size >= LARGE_FILE;
  } catch {
    // Whoever reads it says what is wrong.
    return false;
  }
}

/** Time and memory. They differ from run to run, so they do not belong on standard output. */
function costLine({ memory }: PoolOutcome, started: number): string {
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const megabytes = Math.round((memory + process.memoryUsage.rss()) / 2 ** 20);
  return `${seconds} s, at most ${count(megabytes)} MB in all processes`;
}
