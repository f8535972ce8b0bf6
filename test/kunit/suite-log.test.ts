import { describe, expect, test } from 'vitest';
import { KUNIT_CASES, missingCaller } from '../../kunit/cases.js';
import { parseSuiteLog, parseSuiteLogs } from '../../kunit/reliable-stacktrace-log.js';
import type { SuiteLog } from '../../kunit/suite-log.js';
import { describeSuiteLogError } from '../../kunit/suite-log-error.js';
import { REFERENCE_POLICIES, referenceFolder, referenceText } from './reference-logs.js';

function read(text: string): SuiteLog {
  const result = parseSuiteLog(text);
  if (!result.ok) throw new Error(describeSuiteLogError('log', result.error));
  return result.value;
}

function problem(text: string): string {
  const result = parseSuiteLog(text);
  return result.ok ? 'none' : describeSuiteLogError('a.ktap', result.error);
}

describe.skipIf(referenceFolder === undefined)('the logs of a real kernel', () => {
  test.each(REFERENCE_POLICIES)('%s has all cases, and one that fails', (policy) => {
    const suite = read(referenceText(policy));
    expect(suite.cases.map(({ name }) => name)).toEqual(KUNIT_CASES.map(({ name }) => name));
    expect(suite.totals).toEqual({ pass: 55, fail: 1, skip: 0, total: 56 });
    expect(suite.cases.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual([
      'test_fgraph_exit_unwind_reliable',
    ]);
    expect(suite.cases[16]?.failures).toEqual(['Stacktrace misses caller_1']);
    expect(suite.cases[20]?.subtests).toHaveLength(12);
    expect(suite.cases[21]?.subtests).toHaveLength(24);
  });

  test.each(REFERENCE_POLICIES)('%s: cases follow the rules of the table', (policy) => {
    for (const [i, one] of read(referenceText(policy)).cases.entries()) {
      const rule = KUNIT_CASES[i]?.rule;
      for (const { walk, ok, name, probe } of one.subtests.length > 0 ? one.subtests : [one]) {
        const where = `${one.name} ${name}`;
        if (rule === 'no-walk') expect(walk, where).toBeUndefined();
        if (rule === 'callers') expect(walk, where).toBeDefined();
        if (rule === 'callers-if-hit')
          expect(walk !== undefined, where).toBe(probe?.kind === 'hit');
        if (walk === undefined) continue;
        const complete = missingCaller(walk.entries.map((entry) => entry.name)) === undefined;
        expect(ok, where).toBe(walk.unreliable !== undefined || complete);
      }
    }
  });

  test('marks, entries and probes', () => {
    const strict = read(referenceText('sframe-strict'));
    expect(strict.cases[19]?.walk).toMatchObject({ length: 17, unreliable: undefined });
    expect(strict.cases[19]?.walk?.entries[7]).toEqual({ name: 'callee_nop', offset: 0 });
    expect(strict.cases[20]?.subtests[1]?.probe).toEqual({
      kind: 'refused',
      at: 'callee_nop_caller+0x4/0x30',
      error: -22,
    });
    expect(strict.cases[21]?.subtests.map(({ probe }) => probe?.kind)).toEqual([
      ...Array<string>(15).fill('hit'),
      ...Array<string>(9).fill('not-hit'),
    ]);
    const pointer = read(referenceText('frame-pointer'));
    expect(pointer.cases[19]?.walk).toEqual({ length: -22, unreliable: -22, entries: [] });
    expect(pointer.cases[8]?.walk?.entries.map(({ name }) => name)).toContain(
      '__do_ftrace_unwind.constprop.0',
    );
  });

  test('only v5 warns, at the second instruction of return_to_handler', () => {
    for (const policy of REFERENCE_POLICIES) {
      const warned = read(referenceText(policy)).cases.flatMap((one) =>
        [one, ...one.subtests].filter(({ warnings }) => warnings.length > 0),
      );
      if (policy === 'sframe-v5') {
        expect(warned.map(({ name }) => name)).toEqual(['return_to_handler+0x4/0x60']);
        expect(warned[0]?.warnings).toHaveLength(2);
        expect(warned[0]?.warnings[0]).toContain('arch_stack_walk_reliable');
      } else {
        expect(warned).toEqual([]);
      }
    }
  });

  test.each(REFERENCE_POLICIES)('%s cut off after any line is truncated', (policy) => {
    const lines = referenceText(policy).trimEnd().split('\n');
    for (let kept = 1; kept < lines.length; kept++) {
      const message = problem(`${lines.slice(0, kept).join('\n')}\n`);
      expect(message, `${kept} lines`).toMatch(new RegExp(`^a\\.ktap:${kept}: truncated`));
    }
    expect(problem(lines.join('\n'))).toBe('none');
  });

  test('a result, plan, entry, or walk’s heading that is missing is noticed', () => {
    const lines = referenceText('sframe-strict').trimEnd().split('\n');
    for (const [i, line] of lines.entries()) {
      if (!/^\s*(?:ok |not ok )|^\s*1\.\.|\d+ => |length:|marked/.test(line)) continue;
      const rest = lines.filter((_, at) => at !== i).join('\n');
      // Without a plan, nested results are still counted, and cases that never came are not known.
      if (/^\s+1\.\./.test(line)) continue;
      expect(problem(rest), `without line ${i + 1}: ${line}`).not.toBe('none');
    }
  });
});

const ONE = `KTAP version 1
1..1
    KTAP version 1
    # Subtest: reliable_stacktrace
    # module: stacktrace_kunit
    1..1
    # test_unwind_reliable: stacktrace hit: YES, length: 2
    # test_unwind_reliable:     0 => caller_1+0x20/0x40
    # test_unwind_reliable:     1 => 0xffff800080001234
    # test_unwind_reliable: ground truth: something else
    ok 1 test_unwind_reliable
# reliable_stacktrace: pass:1 fail:0 skip:0 total:1
# Totals: pass:1 fail:0 skip:0 total:1
ok 1 reliable_stacktrace
`;

describe('reading the suite', () => {
  test('notes and bare addresses are kept', () => {
    const [one] = read(ONE).cases;
    expect(one?.notes).toEqual(['ground truth: something else']);
    expect(one?.walk?.entries[1]).toEqual({ name: '0xffff800080001234', offset: undefined });
  });

  test('several runs in one document', () => {
    const second = ONE.replace('KTAP version 1\n1..1\n', '').replace('\nok 1 reli', '\nok 2 reli');
    const text = ONE.replace('1..1', '1..2') + second;
    const both = parseSuiteLogs(text);
    expect(both.ok && both.value).toHaveLength(2);
    expect(problem(text)).toBe(
      'a.ktap:26: reliable_stacktrace appears a second time (first at line 14)',
    );
  });

  test.each([
    [
      'another suite',
      'KTAP version 1\n1..1\n    KTAP version 1\n    # Subtest: list\n    1..1\n    ok 1 a\nok 1 list\n',
      'a.ktap:1: a log of list, not of reliable_stacktrace',
    ],
    [
      'a case of another suite',
      ONE.replaceAll('test_unwind_reliable', 'test_list_add'),
      'a.ktap:11: reliable_stacktrace has no case test_list_add',
    ],
    [
      'an entry is missing',
      ONE.replace(/.* 1 => .*\n/, ''),
      'a.ktap:10: test_unwind_reliable: 1 entries of a walk of 2',
    ],
    [
      'entries are out of order',
      ONE.replace('  0 =>', '  1 =>'),
      'a.ktap:8: test_unwind_reliable: 0 entries of a walk of 2',
    ],
    [
      'the totals of the suite are wrong',
      ONE.replace('trace: pass:1 fail:0', 'trace: pass:0 fail:1'),
      'a.ktap:12: the log says pass:0 fail:1 skip:0 total:1, but its results add up to pass:1 fail:0 skip:0 total:1',
    ],
    [
      'the totals of the document are wrong',
      ONE.replace('Totals: pass:1', 'Totals: pass:2'),
      'a.ktap:13: the log says pass:2 fail:0 skip:0 total:1, but its results add up to pass:1 fail:0 skip:0 total:1',
    ],
    [
      'a mark without an error',
      ONE.replace(
        '    # test_unwind_reliable: stack',
        '    # test_unwind_reliable: marked unreliable: -22\n$&',
      ),
      "a.ktap:12: test_unwind_reliable: the walk's length contradicts its mark",
    ],
    ['not KTAP', '#!/bin/sh\n', 'a.ktap:1: no KTAP: there is no line "KTAP version 1"'],
    [
      'a case twice',
      ONE.replace('1..1\n    #', '1..2\n    #').replace(
        '    ok 1 test_unwind_reliable\n',
        '    ok 1 test_unwind_reliable\n    ok 2 test_unwind_reliable\n',
      ),
      'a.ktap:12: second result of test_unwind_reliable',
    ],
  ])('says what is wrong: %s', (_, text, message) => {
    expect(problem(text)).toBe(message);
  });
});
