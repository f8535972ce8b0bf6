/** What `kunwind-lab sframe verify` does. */
import { availableParallelism } from 'node:os';
import { readElfFile } from '../elf/file.js';
import { loadProgram } from '../verify/program.js';
import { sarifLog } from '../verify/sarif.js';
import { type PoolOutcome, verifyInPool } from '../verify/verify-pool.js';
import { once, type OptionText, wholeNumber } from './option-values.js';
import { print } from './output.js';
import { packageVersion } from './package-version.js';
import { decompressFiles } from './plain-files.js';
import { ReportFile } from './report-file.js';
import { warnOfConcatenation } from './sframe-file.js';
import { count } from './style.js';
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

/** Verify a table, print the findings and write the reports. @returns the exit status. @throws UsageError */
export async function verify(given: VerifyArguments): Promise<number> {
  const { file } = given;
  if (file === undefined) throw new UsageError('sframe verify needs a FILE');
  const glob = once('function', given.function);
  const jobs = wholeNumber('jobs', given.jobs) ?? availableParallelism();
  const [json, sarif] = [once('json', given.json), once('sarif', given.sarif)];
  const jsonFile = json === undefined ? undefined : new ReportFile(json);
  const sarifFile = sarif === undefined ? undefined : new ReportFile(sarif);
  for (const [option, report] of Object.entries({ json: jsonFile, sarif: sarifFile })) {
    if (report?.replaces(file) === true) {
      throw new UsageError(`--${option} would overwrite ${file}, the file to verify`);
    }
  }
  if (json !== undefined && sarifFile?.replaces(json) === true) {
    throw new UsageError(`--json and --sarif would both be written to ${json}`);
  }
  await decompressFiles(file);
  const started = performance.now();
  const elf = readElfFile(file);
  if (elf.ok) warnOfConcatenation(file, elf.value);
  const outcome = await verifyInPool({ file, glob, jobs });
  if (!outcome.ok) throw new UsageError(outcome.error);
  const { report } = outcome.value;
  if (report.functions.total === 0) {
    throw new UsageError(
      glob === undefined
        ? `${file}: its .sframe describes no function`
        : `${file}: no function with an FDE matches '${glob}'`,
    );
  }
  const cost = costLine(outcome.value, started);
  jsonFile?.write(jsonReport(file, report));
  sarifFile?.write(sarifLog(file, packageVersion(), report, (fn) => replayCommand(file, fn)));
  const failed = report.findings.length > 0 || report.skipped.length > 0;
  process.exitCode = failed ? 1 : 0;
  // Only now, when the workers are gone: a program takes as much memory as one of them.
  const program = report.findings.length === 0 ? undefined : loadProgram(file);
  await print(await reportLines(file, program?.ok === true ? program.value : undefined, report));
  if (process.stderr.isTTY) process.stderr.write(`${cost}\n`);
  return failed ? 1 : 0;
}

/** Time and memory, which differ from run to run: not for standard output. */
function costLine({ memory }: PoolOutcome, started: number): string {
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const megabytes = Math.round((memory + process.memoryUsage.rss()) / 2 ** 20);
  return `${seconds} s, at most ${count(megabytes)} MB in all processes`;
}
