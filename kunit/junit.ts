/**
 * Runs of the suite as JUnit XML, as fast-xml-builder takes it: `@_` names an attribute. There is
 * one `testsuite` for each policy, and one `testcase` for each result that counts in the totals.
 * Each parameter is a result of its own.
 */
import type { CaseRecord, StepRecord, SuiteLog } from './suite-log.js';

/** A run and how long it took. */
export interface JunitRun {
  /** Name of the policy. It becomes part of the suite's name. */
  readonly policy: string;
  readonly suite: SuiteLog;
  readonly seconds: number;
}

/** An element: attributes under `@_name`, text under `#text`, children under their names. */
export interface XmlElement {
  readonly [name: string]: string | number | XmlElement | readonly XmlElement[];
}

/** The document. @param suiteName name of the suite, without the policy */
export function junitDocument(suiteName: string, runs: readonly JunitRun[]): XmlElement {
  const sum = (of: (run: JunitRun) => number): number =>
    runs.reduce((all, run) => all + of(run), 0);
  return {
    '?xml': { '@_version': '1.0', '@_encoding': 'UTF-8' },
    testsuites: {
      '@_name': 'kunwind-lab kunit',
      '@_tests': sum(({ suite }) => suite.totals.total),
      '@_failures': sum(({ suite }) => suite.totals.fail),
      '@_skipped': sum(({ suite }) => suite.totals.skip),
      '@_errors': 0,
      '@_time': seconds(sum((run) => run.seconds)),
      testsuite: runs.map((run) => suiteElement(suiteName, run)),
    },
  };
}

function suiteElement(suiteName: string, run: JunitRun): XmlElement {
  const { totals, cases } = run.suite;
  const name = `${suiteName}.${run.policy}`;
  return {
    '@_name': name,
    '@_tests': totals.total,
    '@_failures': totals.fail,
    '@_skipped': totals.skip,
    '@_errors': 0,
    '@_time': seconds(run.seconds),
    testcase: cases.flatMap((one) => caseElements(name, one)),
  };
}

function caseElements(suite: string, one: CaseRecord): XmlElement[] {
  if (one.subtests.length === 0) return [stepElement(suite, one.name, one)];
  return one.subtests.map((step) => stepElement(`${suite}.${one.name}`, step.name, step));
}

function stepElement(classname: string, name: string, step: StepRecord): XmlElement {
  const output = outputText(step);
  const element: Record<string, XmlElement | string> = { '@_classname': classname, '@_name': name };
  if (step.skipped) element['skipped'] = {};
  else if (!step.ok) {
    const message = step.failures[0] ?? 'failed';
    element['failure'] = { '@_message': message, '#text': step.failures.join('\n') };
  }
  if (output !== '') element['system-out'] = output;
  return element;
}

/** What the log says about the step. */
function outputText({ probe, walk, warnings, notes }: StepRecord): string {
  const lines = warnings.map((text) => `WARNING: ${text}`);
  if (probe?.kind === 'hit') lines.push(`hit kprobe at ${probe.at}`);
  if (probe?.kind === 'not-hit') lines.push(`did not hit kprobe at ${probe.at}`);
  if (probe?.kind === 'refused') lines.push(`cannot kprobe ${probe.at} (error ${probe.error})`);
  if (walk?.unreliable !== undefined) lines.push(`marked unreliable: ${walk.unreliable}`);
  for (const { name, offset } of walk?.entries ?? []) {
    lines.push(offset === undefined ? name : `${name}+0x${offset.toString(16)}`);
  }
  return [...lines, ...notes].join('\n');
}

function seconds(value: number): string {
  return value.toFixed(3);
}
