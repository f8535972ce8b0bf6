/**
 * Turns runs of the suite into KTAP, with the diagnostics that lib/tests/stacktrace_kunit.c prints,
 * nested as lib/kunit/test.c nests them (v7.3-rc7). Diagnostics of parameters are indented like the
 * case, totals like the suite. Two lines are ours: `# policy: NAME` below the suite's name, and
 * `ground truth:` where a walk was called reliable but is wrong.
 */
import type { CaseRun, StepRun, WalkRun } from './case-run.js';
import { type KunitCase, missingCaller, MODULE_NAME, SUITE_NAME } from './cases.js';
import { KTAP_INDENT, type KtapDiagnostic, type KtapGroup, type KtapTest } from './ktap.js';
import { sourceName } from './relevant-functions.js';
import { totalsOf, totalsText } from './suite-log.js';

/** One suite: a policy and its cases, in order. */
export interface SuiteRun {
  readonly policy: string;
  readonly cases: readonly { readonly definition: KunitCase; readonly run: CaseRun }[];
}

/** One document for all runs. */
export function suiteDocument(runs: readonly SuiteRun[]): KtapGroup {
  return group(
    0,
    [],
    runs.length,
    runs.map((run, i) => suiteTest(run, i + 1)),
  );
}

interface Step {
  readonly name: string;
  readonly ok: boolean;
  readonly diagnostics: readonly KtapDiagnostic[];
}

function suiteTest({ policy, cases }: SuiteRun, number: number): KtapTest {
  const warned = new Set<string>();
  const tests: KtapTest[] = [];
  const counted: { ok: boolean; skipped: boolean }[] = [];
  for (const { definition, run } of cases) {
    const steps = run.steps.map((step) => stepOf(definition, step, warned));
    for (const { ok } of steps) counted.push({ ok, skipped: false });
    tests.push(caseTest(definition, steps, tests.length + 1));
  }
  const results = tests.map(({ ok }) => ({ ok, skipped: false }));
  const header = [`# Subtest: ${SUITE_NAME}`, `# module: ${MODULE_NAME}`, `# policy: ${policy}`];
  return {
    line: 0,
    number,
    name: SUITE_NAME,
    ok: results.every(({ ok }) => ok),
    directive: undefined,
    leading: [],
    subtests: group(KTAP_INDENT, header, tests.length, tests),
    diagnostics: [...statistics(0, SUITE_NAME, results), ...statistics(0, 'Totals', counted)],
  };
}

function caseTest(definition: KunitCase, steps: readonly Step[], number: number): KtapTest {
  const { name } = definition;
  const ok = steps.every((step) => step.ok);
  const common = { line: 0, number, name, ok, directive: undefined, leading: [] };
  if (definition.async === undefined) {
    const diagnostics = steps.flatMap((step) => step.diagnostics);
    return { ...common, subtests: undefined, diagnostics };
  }
  const parameters = steps.map((step, i) => ({
    ...common,
    number: i + 1,
    name: step.name,
    ok: step.ok,
    subtests: undefined,
    diagnostics: step.diagnostics,
  }));
  const results = steps.map((step) => ({ ok: step.ok, skipped: false }));
  return {
    ...common,
    subtests: group(2 * KTAP_INDENT, [`# Subtest: ${name}`], undefined, parameters),
    diagnostics: statistics(KTAP_INDENT, name, results),
  };
}

function group(
  indent: number,
  header: readonly string[],
  plan: number | undefined,
  tests: readonly KtapTest[],
): KtapGroup {
  return {
    line: 0,
    indent,
    header: header.map((text) => ({ line: 0, indent, text })),
    plan,
    tests,
    trailing: [],
  };
}

/** The totals line. The kernel prints none for a single result. */
function statistics(
  indent: number,
  name: string,
  results: readonly { readonly ok: boolean; readonly skipped: boolean }[],
): KtapDiagnostic[] {
  if (results.length < 2) return [];
  return [{ line: 0, indent, text: `# ${name}: ${totalsText(totalsOf(results))}` }];
}

/** @param warned WARNs already printed, because a WARN_ON_ONCE prints only once */
function stepOf({ name, rule }: KunitCase, step: StepRun, warned: Set<string>): Step {
  const diagnostics: KtapDiagnostic[] = [];
  const say = (text: string): void => {
    diagnostics.push({ line: 0, indent: KTAP_INDENT, text: `# ${name}: ${text}` });
  };
  const { probe, walk, problem } = step;
  if (walk !== undefined && walk.warning !== '' && !warned.has(walk.warning)) {
    warned.add(walk.warning);
    const text = `# WARNING: ${walk.warning} at arch_stack_walk_reliable`;
    diagnostics.push({ line: 0, indent: 0, text });
  }
  if (probe?.kind === 'hit') say(`hit kprobe at ${probe.at}`);
  if (probe?.kind === 'not-hit') say(`did not hit kprobe at ${probe.at}`);
  if (probe?.kind === 'refused') say(`cannot kprobe ${probe.at} (error ${probe.error})`);
  const failure = problem === '' ? brokenRule(rule, step) : problem;
  if (failure !== undefined) {
    say('EXPECTATION FAILED at kunit/cases.ts');
    diagnostics.push({ line: 0, indent: 0, text: failure });
  }
  if (walk !== undefined) walkLines(walk).forEach(say);
  return { name: step.name, ok: failure === undefined, diagnostics };
}

function walkLines({ error, entries, unsafe }: WalkRun): string[] {
  const lines = error === undefined ? [] : [`marked unreliable: ${error}`];
  lines.push(`stacktrace hit: YES, length: ${error ?? entries.length}`);
  const listed = entries.map((entry, i) => `${String(i).padStart(5)} => ${entry}`);
  return [...lines, ...listed, ...(unsafe === '' ? [] : [`ground truth: ${unsafe}`])];
}

/** How the step breaks the case's rule; undefined when it passes. */
function brokenRule(rule: KunitCase['rule'], { walk, probe }: StepRun): string | undefined {
  if (rule === 'no-walk') return walk === undefined ? undefined : 'Stacktrace was taken';
  if (rule === 'callers-if-hit' && probe?.kind !== 'hit') return undefined;
  if (walk === undefined) return 'Stacktrace was not taken';
  if (walk.error !== undefined) return undefined;
  const names = walk.entries.map((entry) => sourceName(entry.replace(/\+0x.*$/, '')));
  const missing = missingCaller(names);
  return missing === undefined ? undefined : `Stacktrace misses ${missing}`;
}
