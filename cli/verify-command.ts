/** `kunwind-lab sframe verify`. */
import type { CommandModule } from 'yargs';
import { formatAddress } from '../emulator/address.js';
import { openBackend } from '../emulator/backend.js';
import { Disassembler } from '../emulator/disassembler.js';
import { bytesAt, loadProgram, type Program } from '../verify/program.js';
import { type Finding, Verifier, type VerifyReport } from '../verify/verify.js';
import { print } from './output.js';
import { ReportFile } from './report-file.js';
import { count } from './style.js';
import { UsageError } from './usage-error.js';

interface VerifyArguments {
  readonly file?: string | undefined;
  readonly function?: string | undefined;
  readonly json?: string | undefined;
}

/** The command, for yargs. */
export const verifyCommand: CommandModule<object, VerifyArguments> = {
  command: 'verify [file]',
  describe: 'Prove every row of an SFrame table by executing the code',
  builder: (yargs) =>
    yargs
      .positional('file', { type: 'string', describe: 'A linked AArch64 ELF, .gz accepted' })
      .options({
        function: { type: 'string', describe: 'Only functions of this name, * and ? accepted' },
        json: { type: 'string', describe: 'Write the whole report to this file' },
      })
      .example("$0 sframe verify vmlinux --function 'vfs_*'", '')
      .epilogue('Exit status: 0 every row reached is true, 1 findings, 2 wrong usage or input.'),
  handler: async (given) => {
    process.exitCode = await verify(given);
  },
};

async function verify({ file, function: glob, json }: VerifyArguments): Promise<number> {
  if (file === undefined) throw new UsageError('sframe verify needs a FILE');
  const output = json === undefined ? undefined : new ReportFile(json);
  const program = loadProgram(file);
  if (!program.ok) throw new UsageError(program.error);
  const backend = await openBackend();
  if (!backend.ok) throw new UsageError(backend.error.message);
  const verifier = Verifier.create(program.value, backend.value);
  if (!verifier.ok) throw new UsageError(`${file}: ${verifier.error}`);
  const report = verifier.value.verify(matcher(glob));
  if (report.functions.total === 0) {
    throw new UsageError(`${file}: no function with an FDE matches '${glob ?? '*'}'`);
  }
  output?.write(jsonReport(file, report));
  const status = report.findings.length === 0 ? 0 : 1;
  process.exitCode = status;
  await print(await resultLines(program.value, report));
  return status;
}

function matcher(glob: string | undefined): (name: string) => boolean {
  if (glob === undefined) return () => true;
  const escaped = glob.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  const pattern = new RegExp(`^${escaped.replace(/\*/g, '.*').replace(/\?/g, '.')}$`);
  return (name) => pattern.test(name);
}

/** Instructions shown before and after the one at which a row is wrong. */
const CONTEXT = 3;

async function resultLines(program: Program, report: VerifyReport): Promise<string[]> {
  const lines: string[] = [];
  const disassembler = await Disassembler.create(program.symbols);
  for (const finding of report.findings) {
    lines.push(`✗ ${finding.kind} in ${program.symbols.format(finding.pc)}`);
    if (finding.row >= 0) lines.push(`    row ${finding.row}  ${finding.rule}`);
    lines.push(`    truth  ${finding.detail}`);
    if (disassembler.ok) lines.push(...context(program, disassembler.value, finding));
    lines.push('');
  }
  const reasons = new Map<string, number>();
  for (const { reason, size } of report.unreached) {
    reasons.set(reason, (reasons.get(reason) ?? 0) + size / 4);
  }
  for (const [reason, instructions] of reasons) {
    lines.push(`not reached: ${count(instructions)} instructions, ${reason}`);
  }
  lines.push(verdictLine(report));
  return lines;
}

function verdictLine({ functions, instructions, rows }: VerifyReport): string {
  const percent = ((100 * instructions.reached) / Math.max(1, instructions.total)).toFixed(2);
  return (
    `${count(functions.total)} functions (${count(functions.wrong)} with findings); ` +
    `${count(instructions.reached)} of ${count(instructions.total)} instructions reached (${percent}%); ` +
    `rows: ${count(rows.verified)} verified, ${count(rows.wrong)} wrong, ${count(rows.unreached)} unreached`
  );
}

function context(program: Program, disassembler: Disassembler, { pc }: Finding): string[] {
  const lines: string[] = [];
  const middle = Math.floor(pc / 4) * 4;
  for (let at = middle - 4 * CONTEXT; at <= middle + 4 * CONTEXT; at += 4) {
    const bytes = bytesAt(program.pieces, at, 4);
    if (bytes === undefined) continue;
    const { text } = disassembler.disassemble(bytes, at);
    lines.push(`    ${at === middle ? '>' : ' '} ${formatAddress(at)}  ${text}`);
  }
  return lines;
}

function jsonReport(file: string, report: VerifyReport): unknown {
  return {
    file,
    ...report,
    findings: report.findings.map((finding) => {
      return { ...finding, start: formatAddress(finding.start), pc: formatAddress(finding.pc) };
    }),
    unreached: report.unreached.map((range) => ({ ...range, start: formatAddress(range.start) })),
  };
}
