import { describe, expect, test } from 'vitest';
import { junitDocument, type XmlElement } from '../../kunit/junit.js';
import { xmlText } from '../../kunit/junit-xml.js';
import { parseSuiteLog } from '../../kunit/reliable-stacktrace-log.js';
import type { SuiteLog } from '../../kunit/suite-log.js';
import { referenceFolder, referenceText } from './reference-logs.js';

const LOG = `KTAP version 1
1..1
    KTAP version 1
    # Subtest: reliable_stacktrace
    # module: stacktrace_kunit
    1..3
    ok 1 test_nounwind # SKIP no "<kernel>" & such
    # test_unwind_reliable: EXPECTATION FAILED at file.c:1
Stacktrace misses <caller_1> & "more"
    # test_unwind_reliable: marked unreliable: -22
    # test_unwind_reliable: stacktrace hit: YES, length: -22
    not ok 2 test_unwind_reliable
        KTAP version 1
        # Subtest: test_async_unwind_reliable
    # test_async_unwind_reliable: cannot kprobe f+0x4/0x8 (error -22)
        ok 1 f+0x4/0x8
    ok 3 test_async_unwind_reliable
not ok 1 reliable_stacktrace
`;

function suite(text: string): SuiteLog {
  const result = parseSuiteLog(text);
  if (!result.ok) throw new Error(result.error.kind);
  return result.value;
}

describe('JUnit', () => {
  test('each result is a testcase of its policy’s suite', () => {
    const document = junitDocument('reliable_stacktrace', [
      { policy: 'sframe-v5', suite: suite(LOG), seconds: 0.25 },
    ]);
    const root = document['testsuites'] as XmlElement;
    expect(root).toMatchObject({
      '@_tests': 3,
      '@_failures': 1,
      '@_skipped': 1,
      '@_time': '0.250',
    });
    const [only] = root['testsuite'] as readonly XmlElement[];
    expect(only?.['@_name']).toBe('reliable_stacktrace.sframe-v5');
    expect(only?.['testcase']).toEqual([
      {
        '@_classname': 'reliable_stacktrace.sframe-v5',
        '@_name': 'test_nounwind',
        skipped: {},
      },
      {
        '@_classname': 'reliable_stacktrace.sframe-v5',
        '@_name': 'test_unwind_reliable',
        failure: {
          '@_message': 'Stacktrace misses <caller_1> & "more"',
          '#text': 'Stacktrace misses <caller_1> & "more"',
        },
        'system-out': 'marked unreliable: -22',
      },
      {
        '@_classname': 'reliable_stacktrace.sframe-v5.test_async_unwind_reliable',
        '@_name': 'f+0x4/0x8',
        'system-out': 'cannot kprobe f+0x4/0x8 (error -22)',
      },
    ]);
  });

  test('as XML', () => {
    const document = junitDocument('reliable_stacktrace', [
      { policy: 'sframe-v5', suite: suite(LOG), seconds: 0.25 },
    ]);
    const text = xmlText(document);
    expect(text).toMatch(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites /);
    expect(text).toContain('message="Stacktrace misses &lt;caller_1&gt; &amp; &quot;more&quot;"');
    expect(text.match(/<testcase /g)).toHaveLength(3);
    expect(text).toMatch(/<\/testsuites>\n$/);
  });

  test.skipIf(referenceFolder === undefined)('a real kernel’s run', () => {
    const run = { policy: 'x', suite: suite(referenceText('sframe-v6')), seconds: 1 };
    const text = xmlText(junitDocument('reliable_stacktrace', [run, run]));
    expect(text.match(/<testcase /g)).toHaveLength(2 * 56);
    expect(text.match(/<failure /g)).toHaveLength(2);
  });
});
