/** The kernel's own tool reads what `kunit` prints, and counts the same. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseSuiteLog } from '../../kunit/reliable-stacktrace-log.js';
import type { StepRecord, SuiteLog } from '../../kunit/suite-log.js';
import { POLICIES } from '../../unwinder/policies/all.js';
import { run } from '../cli/run-cli.js';
import { kunitPyParse, mistakenKunitPy, whyNoKunitPy } from './kunit-py.js';

const title = `kunit.py parse${whyNoKunitPy === undefined ? '' : ` (skipped: ${whyNoKunitPy})`}`;

it('has the kunit.py that KUNIT_PY names', () => {
  expect(mistakenKunitPy, whyNoKunitPy).toBe(false);
});

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'kunit-py-'));
});
afterAll(() => {
  rmSync(scratch, { recursive: true });
});

function parsed(name: string, text: string): ReturnType<typeof kunitPyParse> {
  const log = join(scratch, `${name}.ktap`);
  writeFileSync(log, text);
  return kunitPyParse(log, join(scratch, `${name}.json`));
}

function result(path: string, { name, ok, skipped }: StepRecord): string {
  return `${path}${name}: ${skipped ? 'SKIP' : ok ? 'PASS' : 'FAIL'}`;
}

/** Every result that the log has by our own reading, cases without parameters first. */
function ours({ cases }: SuiteLog): string[] {
  const suite = 'reliable_stacktrace/';
  return [
    ...cases.filter(({ subtests }) => subtests.length === 0).map((one) => result(suite, one)),
    ...cases.flatMap(({ name, subtests }) =>
      subtests.map((one) => result(`${suite}${name}/`, one)),
    ),
  ];
}

function counts(results: readonly string[]): string {
  const of = (status: string): number => results.filter((one) => one.endsWith(status)).length;
  const named = [
    ['passed', of(': PASS')],
    ['failed', of(': FAIL')],
    ['skipped', of(': SKIP')],
  ] as const;
  const parts = named.filter(([, count]) => count > 0).map(([name, count]) => `${name}: ${count}`);
  return `Ran ${results.length} tests: ${parts.join(', ')}`;
}

describe.skipIf(whyNoKunitPy !== undefined)(title, () => {
  it.each(Object.keys(POLICIES))('%s: every result is read, and counted as here', (policy) => {
    const { stdout, status } = run(['kunit', '--policy', policy]);
    const log = parseSuiteLog(stdout);
    if (!log.ok) throw new Error(log.error.kind);
    const theirs = parsed(policy, stdout);
    expect(theirs.complaints).toEqual([]);
    expect(theirs.results).toEqual(ours(log.value));
    expect(theirs.results.length).toBeGreaterThan(22);
    expect(theirs.counts).toBe(counts(theirs.results));
    expect(theirs.status).toBe(status);
  });

  it('reads a document of several suites', () => {
    const { stdout } = run(['kunit']);
    const theirs = parsed('all', stdout);
    expect(theirs.complaints).toEqual([]);
    expect(theirs.counts).toBe(counts(theirs.results));
    const suites = Object.keys(POLICIES).length;
    expect(theirs.results.length % suites).toBe(0);
    expect(theirs.results.length / suites).toBeGreaterThan(22);
  });

  it('would say what is wrong with a log: a plan that is not kept, a result without its number', () => {
    const { stdout } = run(['kunit', '--policy', 'fgraph-detect', '--case', '*nounwind*']);
    expect(parsed('sound', stdout).complaints).toEqual([]);
    const short = stdout.replace(/^ {4}1\.\.(\d+)$/m, (_, count: string) => `    1..${+count + 1}`);
    expect(parsed('short', short).complaints).not.toEqual([]);
    const renumbered = stdout.replace(/^ {4}ok 2 /m, '    ok 7 ');
    expect(parsed('renumbered', renumbered).complaints).not.toEqual([]);
  });
});
