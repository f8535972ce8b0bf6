/**
 * Reads logs of the KUnit suite `reliable_stacktrace`: what each case and parameter did, from the
 * diagnostics that lib/tests/stacktrace_kunit.c prints. Anything else that the kernel printed
 * meanwhile (a WARN's own backtrace) is skipped.
 */
import { fail, ok, type Result } from '../base/result.js';
import { isCaseName, SUITE_NAME } from './cases.js';
import { groupName, type KtapDiagnostic, type KtapGroup, type KtapTest } from './ktap.js';
import { parseKtap } from './ktap-parse.js';
import {
  type CaseRecord,
  countTotals,
  type ProbeRecord,
  type StepRecord,
  type SuiteLog,
  type Totals,
  totalsOf,
  totalsText,
  type TraceEntry,
} from './suite-log.js';
import type { SuiteLogError } from './suite-log-error.js';

/** The runs of the suite in a text: a kernel's log has one, ours has one for each policy. */
export function parseSuiteLogs(text: string): Result<readonly SuiteLog[], SuiteLogError> {
  const parsed = parseKtap(text);
  if (!parsed.ok) return fail({ kind: 'ktap', line: parsed.error.line, error: parsed.error });
  const suites: SuiteLog[] = [];
  const others: string[] = [];
  for (const document of parsed.value) {
    for (const test of document.tests) {
      if (test.name !== SUITE_NAME || test.subtests === undefined) {
        others.push(test.name);
        continue;
      }
      const read = readSuite(test, test.subtests);
      if (!read.ok) return read;
      suites.push(read.value);
    }
    const error = checkTotals(document.tests, document, suites);
    if (error !== undefined) return fail(error);
  }
  if (suites.length > 0) return ok(suites);
  return fail({ kind: 'other-suite', line: parsed.value[0]?.line ?? 1, found: others });
}

/** The only run of the suite in a text. */
export function parseSuiteLog(text: string): Result<SuiteLog, SuiteLogError> {
  const parsed = parseSuiteLogs(text);
  if (!parsed.ok) return parsed;
  const [first, second] = parsed.value;
  if (first === undefined) return fail({ kind: 'other-suite', line: 1, found: [] });
  return second === undefined
    ? ok(first)
    : fail({ kind: 'repeated-suite', line: second.line, first: first.line });
}

function readSuite(test: KtapTest, group: KtapGroup): Result<SuiteLog, SuiteLogError> {
  const cases: CaseRecord[] = [];
  for (const one of group.tests) {
    const { name, line } = one;
    if (!isCaseName(name)) return fail({ kind: 'unknown-case', line, name });
    if (cases.some((other) => other.name === name)) {
      return fail({ kind: 'repeated-case', line, name });
    }
    const read = readCase(one);
    if (!read.ok) return read;
    cases.push(read.value);
  }
  const wrong = wrongTotals(test.diagnostics, SUITE_NAME, totalsOf(cases));
  if (wrong !== undefined) return fail(wrong);
  return ok({
    line: test.line,
    ok: test.ok,
    policy: policyOf(group),
    cases,
    totals: countTotals(cases),
  });
}

/** Our own logs name the policy they were made under. */
function policyOf({ header }: KtapGroup): string | undefined {
  const own = '# policy: ';
  return header.find(({ text }) => text.startsWith(own))?.text.slice(own.length);
}

function readCase(test: KtapTest): Result<CaseRecord, SuiteLogError> {
  const own = readStep(test, test.name);
  if (!own.ok) return own;
  const subtests: StepRecord[] = [];
  for (const parameter of test.subtests?.tests ?? []) {
    const read = readStep(parameter, test.name);
    if (!read.ok) return read;
    subtests.push(read.value);
  }
  if (subtests.length > 0) {
    const wrong = wrongTotals(test.diagnostics, test.name, totalsOf(subtests));
    if (wrong !== undefined) return fail(wrong);
  }
  return ok({ ...own.value, subtests });
}

const HIT = /^hit kprobe at (\S+)$/;
const NOT_HIT = /^did not hit kprobe at (\S+)$/;
const REFUSED = /^cannot kprobe (\S+) \(error (-\d+)\)$/;
const MARKED = /^marked unreliable: (-\d+)$/;
const LENGTH = /^stacktrace hit: (YES|NO)(?:, length: (-?\d+))?$/;
const ENTRY = /^\s*(\d+) => (\S+)/;
const EXPECTATION = /^EXPECTATION FAILED at /;
const WARNING = /^(?:# )?WARNING: (.*)$/;
const PLACE = /^(.+)\+0x([0-9a-f]+)\/0x[0-9a-f]+$/;
const TOTALS = /^pass:(\d+) fail:(\d+) skip:(\d+) total:(\d+)$/;

/** Collects the diagnostics of one result. */
class StepReader {
  probe: ProbeRecord | undefined;
  hit = false;
  length = 0;
  unreliable: number | undefined;
  readonly entries: TraceEntry[] = [];
  readonly failures: string[] = [];
  readonly warnings: string[] = [];
  readonly notes: string[] = [];
  /**
   * The line before was a failed expectation: this one says what failed. The kernel does not indent
   * it.
   */
  private expectation = false;

  constructor(private readonly caseName: string) {}

  /** False when an entry is not the next one of its walk. */
  read({ text }: KtapDiagnostic): boolean {
    const own = `# ${this.caseName}: `;
    if (text.startsWith(own)) return this.readOwn(text.slice(own.length));
    const warning = WARNING.exec(text);
    if (warning !== null) this.warnings.push(warning[1] ?? '');
    else if (this.expectation) this.failures.push(text);
    this.expectation = false;
    return true;
  }

  private readOwn(text: string): boolean {
    const entry = ENTRY.exec(text);
    if (entry !== null) {
      if (Number(entry[1]) !== this.entries.length) return false;
      this.entries.push(traceEntry(entry[2] ?? ''));
      return true;
    }
    this.expectation = EXPECTATION.test(text);
    const length = LENGTH.exec(text);
    if (length !== null) {
      this.hit = length[1] === 'YES';
      this.length = Number(length[2] ?? 0);
      return true;
    }
    const marked = MARKED.exec(text);
    const probe = probeRecord(text);
    if (marked !== null) this.unreliable = Number(marked[1]);
    else if (probe !== undefined) this.probe = probe;
    else if (!this.expectation) this.notes.push(text);
    return true;
  }
}

function readStep(test: KtapTest, caseName: string): Result<StepRecord, SuiteLogError> {
  const reader = new StepReader(caseName);
  const { name } = test;
  const incomplete = (line: number): Result<never, SuiteLogError> => {
    const { length, entries } = reader;
    return fail({ kind: 'incomplete-trace', line, name, listed: entries.length, length });
  };
  for (const diagnostic of [...test.leading, ...test.diagnostics]) {
    if (!reader.read(diagnostic)) return incomplete(diagnostic.line);
  }
  const { hit, length, unreliable, entries } = reader;
  if (entries.length !== Math.max(length, 0)) return incomplete(test.line);
  if ((unreliable !== undefined) !== (hit && length < 0)) {
    return fail({ kind: 'contradictory-walk', line: test.line, name });
  }
  return ok({
    line: test.line,
    name,
    ok: test.ok,
    skipped: test.directive?.kind.toUpperCase() === 'SKIP',
    probe: reader.probe,
    walk: hit ? { length, unreliable, entries } : undefined,
    failures: reader.failures,
    warnings: reader.warnings,
    notes: reader.notes.filter((note) => !TOTALS.test(note)),
  });
}

function probeRecord(text: string): ProbeRecord | undefined {
  const hit = HIT.exec(text);
  if (hit !== null) return { kind: 'hit', at: hit[1] ?? '' };
  const missed = NOT_HIT.exec(text);
  if (missed !== null) return { kind: 'not-hit', at: missed[1] ?? '' };
  const refused = REFUSED.exec(text);
  if (refused === null) return undefined;
  return { kind: 'refused', at: refused[1] ?? '', error: Number(refused[2]) };
}

function traceEntry(text: string): TraceEntry {
  const place = PLACE.exec(text);
  if (place === null) return { name: text, offset: undefined };
  return { name: place[1] ?? text, offset: Number.parseInt(place[2] ?? '0', 16) };
}

function wrongTotals(
  diagnostics: readonly KtapDiagnostic[],
  name: string,
  counted: Totals,
): SuiteLogError | undefined {
  const own = `# ${name}: `;
  for (const { text, line } of diagnostics) {
    if (!text.startsWith(own)) continue;
    const printed = text.slice(own.length);
    if (TOTALS.test(printed) && printed !== totalsText(counted)) {
      return { kind: 'wrong-totals', line, printed, counted: totalsText(counted) };
    }
  }
  return undefined;
}

/**
 * The `# Totals:` line counts parameters. It can be checked only where this suite is all that the
 * line sums up.
 */
function checkTotals(
  tests: readonly KtapTest[],
  document: KtapGroup,
  suites: readonly SuiteLog[],
): SuiteLogError | undefined {
  if (tests.length !== 1 || suites.length === 0 || groupName(document) !== undefined) {
    return undefined;
  }
  const own = '# Totals: ';
  const counted = totalsText(countTotals(suites[suites.length - 1]?.cases ?? []));
  for (const { text, line } of tests[0]?.diagnostics ?? []) {
    if (!text.startsWith(own)) continue;
    const printed = text.slice(own.length);
    if (printed !== counted) return { kind: 'wrong-totals', line, printed, counted };
  }
  return undefined;
}
