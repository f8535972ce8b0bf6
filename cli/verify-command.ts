/** `kunwind-lab sframe verify`. */
import { availableParallelism } from 'node:os';
import type { CommandModule } from 'yargs';
import { loadProgram } from '../verify/program.js';
import { sarifLog } from '../verify/sarif.js';
import { type PoolOutcome, verifyInPool } from '../verify/verify-pool.js';
import { once, type OptionText, wholeNumber } from './option-values.js';
import { print } from './output.js';
import { packageVersion } from './package-version.js';
import { ReportFile } from './report-file.js';
import { count } from './style.js';
import { UsageError } from './usage-error.js';
import { jsonReport, replayCommand } from './verify-json.js';
import { reportLines } from './verify-text.js';

interface VerifyArguments {
  readonly file?: string | undefined;
  readonly function?: OptionText;
  readonly jobs?: OptionText;
  readonly json?: OptionText;
  readonly sarif?: OptionText;
}

/** The command, for yargs. */
export const verifyCommand: CommandModule<object, VerifyArguments> = {
  command: 'verify [file]',
  describe: 'Prove every row of an SFrame table by executing the code',
  builder: (yargs) =>
    yargs
      .positional('file', { type: 'string', describe: 'An AArch64 ELF, .gz accepted' })
      .options({
        function: { type: 'string', describe: 'Only functions of this name, * and ? accepted' },
        jobs: { type: 'string', describe: 'Worker processes [default: one for each core]' },
        json: { type: 'string', describe: 'Write the whole report to this file' },
        sarif: { type: 'string', describe: 'Write the findings as SARIF 2.1.0 to this file' },
      })
      .example("$0 sframe verify vmlinux --function 'vfs_*'", '')
      .epilogue('Exit status: 0 every row reached is true, 1 findings, 2 wrong usage or input.'),
  handler: async (given) => {
    process.exitCode = await verify(given);
  },
};

async function verify(given: VerifyArguments): Promise<number> {
  const { file } = given;
  if (file === undefined) throw new UsageError('sframe verify needs a FILE');
  const glob = once('function', given.function);
  const jobs = wholeNumber('jobs', given.jobs) ?? availableParallelism();
  const [json, sarif] = [once('json', given.json), once('sarif', given.sarif)];
  const jsonFile = json === undefined ? undefined : new ReportFile(json);
  const sarifFile = sarif === undefined ? undefined : new ReportFile(sarif);
  for (const [option, report] of Object.entries({ json: jsonFile, sarif: sarifFile })) {
    if (report?.replaces(file) === true) {
      throw new UsageError(`--${option} would replace ${file}, the file to verify`);
    }
  }
  if (json !== undefined && sarifFile?.replaces(json) === true) {
    throw new UsageError(`--json and --sarif are both written to ${json}`);
  }
  const started = performance.now();
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
