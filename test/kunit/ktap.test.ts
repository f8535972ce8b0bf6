import { describe, expect, test } from 'vitest';
import type { KtapGroup } from '../../kunit/ktap.js';
import { describeKtapError } from '../../kunit/ktap-error.js';
import { parseKtap } from '../../kunit/ktap-parse.js';
import { ktapLines } from '../../kunit/ktap-write.js';
import { REFERENCE_POLICIES, referenceFolder, referenceText } from './reference-logs.js';

function parsed(text: string): readonly KtapGroup[] {
  const result = parseKtap(text);
  if (!result.ok) throw new Error(`${result.error.line}: ${describeKtapError(result.error)}`);
  return result.value;
}

function problem(text: string): string {
  const result = parseKtap(text);
  return result.ok ? 'none' : `${result.error.line}: ${describeKtapError(result.error)}`;
}

const NESTED = `KTAP version 1
1..1
    KTAP version 1
    # Subtest: suite
    # module: module
    1..3
    # first: said something
    ok 1 first
Said without indentation
    not ok 2 second
        KTAP version 1
        # Subtest: third
    # third: about the parameter
        ok 1 a+0x0/0x8
        ok 2 b # SKIP not here
    # third: pass:1 fail:0 skip:1 total:2
    ok 3 third
# suite: pass:2 fail:1 skip:0 total:3
not ok 1 suite
`;

describe('reading KTAP', () => {
  test('nests results and gives every line an owner', () => {
    const [document] = parsed(NESTED);
    const suite = document?.tests[0];
    const [first, second, third] = suite?.subtests?.tests ?? [];
    expect(suite).toMatchObject({ name: 'suite', ok: false, line: 19 });
    expect(suite?.subtests?.header.map(({ text }) => text)).toEqual([
      '# Subtest: suite',
      '# module: module',
    ]);
    expect(suite?.diagnostics.map(({ text }) => text)).toEqual([
      '# suite: pass:2 fail:1 skip:0 total:3',
    ]);
    expect(first).toMatchObject({ name: 'first', ok: true, number: 1 });
    expect(first?.diagnostics).toEqual([{ line: 7, indent: 4, text: '# first: said something' }]);
    expect(second).toMatchObject({ name: 'second', ok: false });
    expect(second?.diagnostics[0]?.text).toBe('Said without indentation');
    expect(third?.subtests?.plan).toBeUndefined();
    expect(third?.subtests?.tests.map(({ name }) => name)).toEqual(['a+0x0/0x8', 'b']);
    expect(third?.subtests?.tests[1]?.directive).toEqual({ kind: 'SKIP', reason: 'not here' });
  });

  test('what was read is written as it was', () => {
    const written = parsed(NESTED).flatMap((document) => [...ktapLines(document)]);
    expect(`${written.join('\n')}\n`).toBe(NESTED);
  });

  test('takes a timestamp off every line, and skips what comes before and after', () => {
    const log = NESTED.trimEnd().split('\n');
    const stamped = log.map((line, i) => `[    1.00${i % 10}000] ${line}`);
    const text = ['[    0.000000] Booting', ...stamped, '[    2.000000] reboot: Restarting'];
    expect(parsed(text.join('\n'))[0]?.tests[0]?.subtests?.tests).toHaveLength(3);
  });

  test('reads several documents, and lines that end in CR LF', () => {
    const text = `${NESTED}module loaded\n${NESTED}`.replaceAll('\n', '\r\n');
    expect(parsed(text).map(({ tests }) => tests[0]?.name)).toEqual(['suite', 'suite']);
  });

  test.each([
    ['nothing at all', '', '1: no KTAP: there is no line "KTAP version 1"'],
    ['no version line', 'ok 1 suite\n1..1\n', '2: no KTAP: there is no line "KTAP version 1"'],
    ['another version', 'KTAP version 2\n', '1: KTAP version 2 is not supported, only version 1'],
    ['no plan', 'KTAP version 1\nok 1 a\n', '2: truncated after 1 result of the document'],
    [
      'a missing result',
      NESTED.replace('    not ok 2 second\n', ''),
      '16: result 3 where 2 was expected',
    ],
    [
      'a missing last case',
      NESTED.replace('    ok 3 third\n', ''),
      '18: indentation of no open test: not ok 1 suite',
    ],
    [
      'a plan that is too long',
      NESTED.replace('1..3', '1..4'),
      '19: suite planned 4 results and has 3',
    ],
    [
      'a plan that is too short',
      NESTED.replace('1..3', '1..2'),
      '17: suite planned 2 results and has 3',
    ],
    ['a second plan', NESTED.replace('1..3', '1..3\n    1..3'), '7: second plan of suite'],
    [
      'another name',
      NESTED.replace('ok 3 third', 'ok 3 fourth'),
      '17: result of fourth where third was running',
    ],
    [
      'a result in the wrong column',
      NESTED.replace('    ok 1 first', '  ok 1 first'),
      '8: indentation of no open test: ok 1 first',
    ],
  ])('says what is wrong: %s', (_, text, message) => {
    expect(problem(text)).toBe(message);
  });

  test.each([
    ['ok 1 - a', { name: 'a', directive: undefined }],
    ['ok 1', { name: '', directive: undefined }],
    ['ok 1 a # SKIP', { name: 'a', directive: { kind: 'SKIP', reason: '' } }],
    ['ok 1 a # skip: not here', { name: 'a', directive: { kind: 'skip', reason: 'not here' } }],
    ['ok 1 # TODO later', { name: '', directive: { kind: 'TODO', reason: 'later' } }],
  ])('takes a result line apart: %s', (line, expected) => {
    expect(parsed(`KTAP version 1\n1..1\n${line}\n`)[0]?.tests[0]).toMatchObject(expected);
  });

  test('a line that only begins like a result is none, however long it is', () => {
    for (const line of ['ok 1a', 'ok 1 a #5', `ok 1 a${' '.repeat(1 << 20)}#5`]) {
      expect(problem(`KTAP version 1\n1..1\n${line}\n`)).toBe(
        '3: truncated: 0 of 1 result of the document',
      );
    }
  });

  test('says which result is missing when it is the one of the group', () => {
    expect(problem(NESTED.replace('not ok 1 suite\n', ''))).toBe(
      '18: truncated: the result of suite itself is missing',
    );
  });

  test('every shorter text is truncated', () => {
    for (let length = 0; length < NESTED.length - 6; length++) {
      expect(parseKtap(NESTED.slice(0, length)).ok, NESTED.slice(0, length)).toBe(false);
    }
  });
});

describe.skipIf(referenceFolder === undefined)('a real kernel’s logs', () => {
  test.each(REFERENCE_POLICIES)('%s is written as it was read', (policy) => {
    const text = referenceText(policy);
    const written = parsed(text).flatMap((document) => [...ktapLines(document)]);
    expect(`${written.join('\n')}\n`).toBe(text);
  });
});
