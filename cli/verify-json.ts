/** The report of `sframe verify` as JSON; docs/verifier.md describes the layout. */
import { hexWord } from '../base/hex-word.js';
import { formatAddress } from '../base/address.js';
import type { Finding } from '../verify/finding.js';
import { isPartial, type VerifyReport } from '../verify/report.js';

/**
 * The value to write. Addresses are text, because JSON numbers cannot hold kernel addresses
 * exactly.
 */
export function jsonReport(file: string, report: VerifyReport): unknown {
  const { functions, instructions, rows, comparedWithDwarf, refusedInstructions } = report;
  const partial = isPartial(report);
  return {
    file,
    ...(partial ? { partial } : {}),
    functions,
    instructions,
    rows,
    comparedWithDwarf,
    refusedInstructions,
    causes: report.causes.map((cause) => ({
      kind: cause.kind,
      explanation: cause.explanation,
      functions: cause.functions,
      replay: replayCommand(file, cause.first.fn),
      findings: cause.findings.map(findingJson),
    })),
    notes: report.notes.map(({ start, pc, word, ...note }) => ({
      ...note,
      ...(word === undefined ? {} : { word: `0x${hexWord(word)}` }),
      start: formatAddress(start),
      pc: formatAddress(pc),
    })),
    unreached: report.unreached.map((range) => ({ ...range, start: formatAddress(range.start) })),
    unreachedRows: report.unreachedRows.map((row) => ({ ...row, pc: formatAddress(row.pc) })),
    skipped: report.skipped.map((one) => ({ ...one, start: formatAddress(one.start) })),
  };
}

function findingJson({ kind, fn, start, row, pc, rule, detail }: Finding): unknown {
  const places = { start: formatAddress(start), pc: formatAddress(pc) };
  return { kind, fn, ...places, row: row < 0 ? null : row, rule: rule || null, detail };
}

/** The command that verifies one function again. */
export function replayCommand(file: string, fn: string): string {
  return `npx kunwind-lab sframe verify ${quoted(file)} --function ${quoted(fn)}`;
}

/** The command that steps through the function, forwards and backwards. */
export function debugCommand(file: string, fn: string): string {
  return `npx kunwind-lab debug --image ${quoted(file)} --function ${quoted(fn)}`;
}

/** A word of a shell command. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, `'\\''`)}'`;
}
