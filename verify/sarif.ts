/** A report in the Static Analysis Results Interchange Format, SARIF 2.1.0 (OASIS). */
import { type Address, formatAddress } from '../base/address.js';
import { explain } from './cause.js';
import type { Finding, FindingKind, Note } from './finding.js';
import type { NoteKind } from './function-trace.js';
import { isPartial, type VerifyReport } from './report.js';

const SCHEMA = 'https://json.schemastore.org/sarif-2.1.0.json';

/** A description of each kind of result, which SARIF calls a rule. */
const RULES: Readonly<Record<FindingKind | NoteKind, string>> = {
  cfa: 'The CFA of a row is not SP at the call',
  ra: 'The return address is not where a row says',
  fp: "The caller's frame pointer is not where a row says",
  mangled: 'A signed return address is not marked as one',
  'not-mangled': 'A return address is marked as signed, but is not',
  'pauth-key': 'The return address is signed with the other key',
  'no-row': 'Instructions are executed where no row is in force',
  'tail-call': 'A tail call is made before the frame of the caller is restored',
  return: 'A function returns without having restored SP, FP or the return address',
  'outermost-returns': 'A function that is marked as outermost returns',
  'outermost-called': 'A function that is marked as outermost is called',
  'sp-alignment': 'SP is not a multiple of 16',
  dwarf: 'DWARF call frame information is wrong where SFrame is right',
  'row-start-misaligned': 'A row starts inside an instruction',
  'row-after-end': 'A row starts after the end of its function',
  'rows-not-rising': 'Rows are not in ascending order',
  'function-outside-text': 'A function lies outside the code of the file',
  'functions-overlap': 'Two functions of the table overlap',
  'functions-not-rising': 'Functions that are marked as sorted are not',
  'no-such-symbol': 'A function starts inside a symbol',
  'size-differs': 'A function and its symbol have different sizes',
  'after-noreturn-call': 'The return address of a call that never returns is misleading',
  'step-limit': 'Not all paths of a function were followed',
  'sp-lost': 'SP is not known after an instruction',
  'unknown-instruction': 'An instruction is not known to the engine',
};

/**
 * The log of one run. Kernel addresses are negative here, which SARIF's `absoluteAddress` must not be.
 * So a place is named by its function and the offset in it, and the message has the address.
 * @param file path as the user gave it
 * @param version of this program
 * @param replay the command that verifies one function again
 */
export function sarifLog(
  file: string,
  version: string,
  report: VerifyReport,
  replay: (fn: string) => string,
): unknown {
  const kinds = Object.keys(RULES) as (keyof typeof RULES)[];
  const result = (
    level: 'error' | 'note',
    at: Pick<Finding | Note, 'kind' | 'fn' | 'start' | 'pc'>,
    text: string,
  ): unknown => ({
    ruleId: at.kind,
    ruleIndex: kinds.indexOf(at.kind),
    level,
    message: { text: `${at.fn}${plus(at)} (${formatAddress(at.pc)}): ${text}` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: uriOf(file), index: 0 },
          address: {
            kind: 'instruction',
            fullyQualifiedName: `${at.fn}${plus(at)}`,
            ...(at.pc >= 0 ? { absoluteAddress: at.pc } : {}),
          },
        },
        logicalLocations: [{ kind: 'function', name: at.fn, fullyQualifiedName: at.fn }],
      },
    ],
    properties: { replay: replay(at.fn) },
  });
  const findings = report.findings.map((finding) => {
    const { rule, row, detail } = finding;
    const said = row < 0 ? '' : ` Row ${row}: ${rule}.`;
    return result('error', finding, `${explain(finding)}.${said} Truth: ${detail}.`);
  });
  const notes = report.notes.map((note) => result('note', note, `${note.detail}.`));
  const partial = isPartial(report);
  return {
    $schema: SCHEMA,
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'kunwind-lab sframe verify',
            version,
            rules: kinds.map((id) => ({ id, shortDescription: { text: RULES[id] } })),
          },
        },
        artifacts: [{ location: { uri: uriOf(file) } }],
        ...(partial ? { invocations: [{ executionSuccessful: false }] } : {}),
        results: [...findings, ...notes],
      },
    ],
  };
}

/** A file name as a relative URI reference. encodeURI() leaves `?`, `#` and `:`, which would end it. */
function uriOf(file: string): string {
  return encodeURI(file).replace(/[?#:]/g, encodeURIComponent);
}

function plus({ start, pc }: { start: Address; pc: Address }): string {
  return `+0x${(pc - start).toString(16)}`;
}
