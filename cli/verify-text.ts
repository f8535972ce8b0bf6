/** The report of `sframe verify` as text. */
import { formatAddress } from '../base/address.js';
import { Disassembler, formatWord } from '../aarch64/disassembler.js';
import type { Cause } from '../verify/cause.js';
import { bytesAt, type Program } from '../verify/program.js';
import { INTERRUPTED, type VerifyReport } from '../verify/report.js';
import { count, plural } from '../base/number-text.js';
import { debugCommand, replayCommand } from './verify-json.js';

/** Instructions shown before and after the one where a row is wrong. */
const CONTEXT = 3;
/** Most further findings and functions of a cause that are named. */
const MAX_NAMED = 5;
/** Most unreached rows that are listed. The JSON has all of them. */
const MAX_ROWS = 20;

/** All lines, the verdict last. @param program for listings; undefined without findings */
export async function reportLines(
  file: string,
  program: Program | undefined,
  report: VerifyReport,
): Promise<string[]> {
  const lines: string[] = [];
  const created = program && (await Disassembler.create(program.symbols));
  const disassembler = created?.ok === true ? created.value : undefined;
  for (const cause of report.causes) {
    lines.push(...causeLines(cause));
    if (program !== undefined && disassembler !== undefined) {
      lines.push(...listing(program, disassembler, cause.first.pc));
    }
    lines.push(`    replay: ${replayCommand(file, cause.first.fn)}`);
    if (program?.runnable === true) lines.push(`    debug:  ${debugCommand(file, cause.first.fn)}`);
    lines.push('');
  }
  const missing = report.skipped.filter(({ reason }) => reason === INTERRUPTED).length;
  for (const { fn, reason } of report.skipped) {
    if (reason !== INTERRUPTED) lines.push(`skipped: ${fn}: ${reason}`);
  }
  if (missing > 0) lines.push(`partial: interrupted, ${plural(missing, 'function')} not verified`);
  if (report.comparedWithDwarf > 0) {
    const what = plural(report.comparedWithDwarf, 'instruction');
    lines.push(`DWARF call frame information judged as well: ${what}`);
  }
  lines.push(...noteLines(report), ...(await unknownLines(report)));
  lines.push(...unreachedLines(report), verdictLine(report));
  return lines;
}

function causeLines({ kind, explanation, first, findings, functions }: Cause): string[] {
  const at = `${first.fn}+0x${(first.pc - first.start).toString(16)}`;
  const lines = [`✗ ${kind} at ${at}: ${explanation}`];
  if (first.row >= 0) lines.push(`    row ${first.row}  ${first.rule}`);
  lines.push(`    truth  ${first.detail}`);
  const more = findings.filter(({ start }) => start === first.start).slice(1);
  if (more.length > 0) {
    const named = more.slice(0, MAX_NAMED).map(({ kind: its, pc, start, row }) => {
      const offset = `+0x${(pc - start).toString(16)}`;
      return row < 0 ? `${its} at ${offset}` : `${its} at ${offset} (row ${row})`;
    });
    lines.push(`    and then  ${named.join(', ')}${rest(more.length)}`);
  }
  if (functions.length > 1) {
    const others = functions.slice(1);
    lines.push(
      `    the same in ${plural(others.length, 'other function')}: ` +
        `${others.slice(0, MAX_NAMED).join(', ')}${rest(others.length)}`,
    );
  }
  return lines;
}

function rest(all: number): string {
  return all > MAX_NAMED ? ` and ${count(all - MAX_NAMED)} more` : '';
}

function listing(program: Program, disassembler: Disassembler, pc: number): string[] {
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

const NOTES = {
  'after-noreturn-call': ['call that never returns leaves', 'calls that never return leave'],
  'step-limit': ['function in which', 'functions in which'],
  'sp-lost': ['instruction after which', 'instructions after which'],
} as const;

const NOTE_ENDS: Readonly<Record<keyof typeof NOTES, string>> = {
  'after-noreturn-call': 'a return address whose row does not describe the call',
  'step-limit': 'not all paths were followed',
  'sp-lost': 'SP is not known',
};

function* noteLines({ notes }: VerifyReport): Generator<string> {
  for (const kind of Object.keys(NOTES) as (keyof typeof NOTES)[]) {
    const number = notes.filter((note) => note.kind === kind).length;
    const what = NOTES[kind][number === 1 ? 0 : 1];
    if (number > 0) yield `note: ${count(number)} ${what} ${NOTE_ENDS[kind]}`;
  }
}

/**
 * Instructions unknown to the engine, by name and place: one line for each, up to
 * {@link MAX_NAMED}.
 */
async function unknownLines({ notes }: VerifyReport): Promise<string[]> {
  const unknown = notes.filter(({ kind }) => kind === 'unknown-instruction');
  if (unknown.length === 0) return [];
  const created = await Disassembler.create();
  const label = `note: ${plural(unknown.length, 'instruction')} unknown to the engine: `;
  const lines = unknown.slice(0, MAX_NAMED).map(({ fn, start, pc, word = 0 }, i) => {
    const name = created.ok ? created.value.describeWord(word, pc) : formatWord(word);
    const at = `${fn}+0x${(pc - start).toString(16)} (${formatAddress(pc)})`;
    return `${i === 0 ? label : ' '.repeat(label.length)}${name} at ${at}`;
  });
  const left = unknown.length - MAX_NAMED;
  return left > 0 ? [...lines, `${' '.repeat(label.length)}and ${count(left)} more`] : lines;
}

function* unreachedLines({ unreached, unreachedRows }: VerifyReport): Generator<string> {
  for (const { fn, row, reason } of unreachedRows.slice(0, MAX_ROWS)) {
    yield `not reached: row ${row} of ${fn}, ${reason}`;
  }
  const left = unreachedRows.length - MAX_ROWS;
  if (left > 0) yield `not reached: ${plural(left, 'more row')} (--json lists them)`;
  const reasons = new Map<string, number>();
  for (const { reason, size } of unreached) {
    reasons.set(reason, (reasons.get(reason) ?? 0) + size / 4);
  }
  for (const reason of [...reasons.keys()].sort()) {
    yield `not reached: ${plural(reasons.get(reason) ?? 0, 'instruction')}, ${reason}`;
  }
}

/** Functions, instructions and rows in one line. */
export function verdictLine({ functions, instructions, rows, skipped }: VerifyReport): string {
  // Rounded down: 100.00% is all of them.
  const share = instructions.reached / Math.max(1, instructions.total);
  const percent = (Math.floor(1e4 * share) / 100).toFixed(2);
  const without = skipped.length === 0 ? '' : `, ${count(skipped.length)} skipped`;
  return (
    `${plural(functions.total, 'function')} (${count(functions.wrong)} with findings${without}); ` +
    `${count(instructions.reached)} of ${plural(instructions.total, 'instruction')} reached (${percent}%); ` +
    `rows: ${count(rows.verified)} verified, ${count(rows.wrong)} wrong, ${count(rows.unreached)} unreached`
  );
}
