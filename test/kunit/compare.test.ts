import { describe, expect, test } from 'vitest';
import { compareSuites, describeRoles, differenceText } from '../../kunit/compare.js';
import { buildMatrix } from '../../kunit/matrix.js';
import { parseSuiteLog } from '../../kunit/reliable-stacktrace-log.js';
import type { SuiteLog } from '../../kunit/suite-log.js';
import { describeSuiteLogError } from '../../kunit/suite-log-error.js';
import { REFERENCE_POLICIES, referenceFolder, referenceText } from './reference-logs.js';

function read(text: string): SuiteLog {
  const result = parseSuiteLog(text);
  if (!result.ok) throw new Error(describeSuiteLogError('log', result.error));
  return result.value;
}

/** Differences of a changed log from the log. */
function planted(policy: string, change: (text: string) => string): string[] {
  const text = referenceText(policy);
  const changed = change(text);
  expect(changed).not.toBe(text);
  return compareSuites(read(changed), read(text)).map(differenceText);
}

describe.skipIf(referenceFolder === undefined)('comparing with a real kernel', () => {
  test.each(REFERENCE_POLICIES)('%s is like itself', (policy) => {
    const suite = read(referenceText(policy));
    expect(compareSuites(suite, suite)).toEqual([]);
  });

  test('policies differ where they should', () => {
    const strict = read(referenceText('sframe-strict'));
    const cases = (policy: string): string[] => [
      ...new Set(compareSuites(read(referenceText(policy)), strict).map((one) => one.caseName)),
    ];
    const probes = 'test_fgraph_async_unwind_reliable';
    const kprobe = 'test_kprobe_unwind_reliable';
    expect(cases('frame-pointer')).toEqual([kprobe, 'test_async_unwind_reliable', probes]);
    expect(cases('sframe-v5')).toEqual([probes]);
    expect(cases('sframe-v6')).toEqual([kprobe, probes]);
  });

  test('offsets and gcc’s suffixes do not matter', () => {
    const text = referenceText('sframe-strict');
    const other = text
      .replaceAll('caller_1+0x20/0x40', 'caller_1+0x1c/0x44')
      .replaceAll('__do_fgraph_unwind+', '__do_fgraph_unwind.constprop.3.isra.0+')
      .replaceAll('__do_ftrace_unwind.constprop.0+', '__do_ftrace_unwind+')
      .replaceAll('return_to_handler+0x4/0x60', 'return_to_handler+0x4/0x3c');
    expect(compareSuites(read(other), read(text))).toEqual([]);
  });

  test.each([
    [
      'a result',
      (text: string) =>
        text
          .replace('ok 2 test_nounwind_tail', 'not ok 2 test_nounwind_tail')
          .replace('pass:21 fail:1', 'pass:20 fail:2')
          .replace('pass:55 fail:1', 'pass:54 fail:2'),
      ['test_nounwind_tail: result: reference ok, here not ok'],
    ],
    [
      'a failure’s message',
      (text: string) => text.replace('misses caller_1', 'misses caller_2'),
      [
        'test_fgraph_exit_unwind_reliable: failures: reference Stacktrace misses caller_1, here Stacktrace misses caller_2',
      ],
    ],
    [
      'a function',
      (text: string) => text.replace(/(test_kprobe_\w+: +4 => )el1_brk64/, '$1el1_dbg'),
      [expect.stringMatching(/^test_kprobe_unwind_reliable: functions: /) as string],
    ],
    [
      'a walk where there was none',
      (text: string) =>
        text.replace(
          '    ok 18',
          '    # test_nounwind_with_kprobe: marked unreliable: -22\n' +
            '    # test_nounwind_with_kprobe: stacktrace hit: YES, length: -22\n$&',
        ),
      ['test_nounwind_with_kprobe: walk: reference no walk, here unreliable -22'],
    ],
    [
      'a warning',
      (text: string) => text.replace('    ok 3 ', '# WARNING: somewhere\n$&'),
      ['test_nounwind_notail: warning: reference no WARN, here WARN'],
    ],
    [
      'a probe that was refused',
      (text: string) =>
        text.replace(
          /did not hit kprobe at (return_to_handler\S+0x3c\S+)/,
          'cannot kprobe $1 (error -22)',
        ),
      [
        'test_fgraph_async_unwind_reliable: probes refused: reference none, here -22 x 1',
        'test_fgraph_async_unwind_reliable: probes in order: reference reliable x 1, unreliable -22 x 14, here reliable x 1, unreliable -22 x 14, refused x 1',
      ],
    ],
    [
      'an instruction that is refused in another place',
      (text: string) => {
        const lines = text.split('\n');
        const at = lines.findIndex((line) => line.includes('cannot kprobe callee_nop_caller+0x1c'));
        // It changes places with the probe before it; results stay where they are.
        const before = lines.findIndex((line) =>
          line.includes('hit kprobe at callee_nop_caller+0x18'),
        );
        const refused = lines.splice(at, 1);
        const result = lines.splice(at, 1);
        const swapped = [...refused, ...result].map((line) => line.replace('ok 8 ', 'ok 7 '));
        lines.splice(before, 0, ...swapped);
        return lines.join('\n').replace(/ok 7 (callee_nop_caller\+0x18)/, 'ok 8 $1');
      },
      [
        'test_async_unwind_reliable: probes in order: reference reliable x 1, refused x 1, reliable x 5, refused x 1, reliable x 1, here reliable x 1, refused x 1, reliable x 4, refused x 1, reliable x 2',
      ],
    ],
    [
      'a function of one parameter',
      (text: string) => text.replace(/(test_async_\w+: +9 => )caller_2/, '$1caller_3'),
      [expect.stringMatching(/^test_async_unwind_reliable: functions: /) as string],
    ],
  ])('a planted difference is found: %s', (_, change, expected) => {
    expect(planted('sframe-strict', change)).toEqual(expected);
  });

  test('v5’s WARN at another probe, and a case that the reference lacks', () => {
    const text = referenceText('sframe-v5');
    const lines = text.split('\n');
    const warnings = lines.filter((line) => line.startsWith('# WARNING'));
    const late = lines
      .filter((line) => !line.startsWith('# WARNING'))
      .flatMap((line) => (line.includes('ok 2 return_to') ? [line, ...warnings] : [line]));
    expect(compareSuites(read(late.join('\n')), read(text)).map(differenceText)).toEqual([
      'test_fgraph_async_unwind_reliable: warning: reference WARN at probe 2, here WARN at probe 3',
    ]);
    const suite = read(text);
    const without: SuiteLog = { ...suite, cases: suite.cases.slice(1) };
    expect(compareSuites(suite, without).map(differenceText)).toEqual([
      'test_nounwind: case: reference absent, here present',
    ]);
    expect(compareSuites(without, suite)).toEqual([]);
  });

  test('parameters by role', () => {
    const roles = (policy: string, at: number): object =>
      describeRoles(read(referenceText(policy)).cases[at]?.subtests ?? []);
    expect(roles('sframe-strict', 20)).toMatchObject({
      reliable: 7,
      unreliable: 0,
      refused: '-22 x 2',
      first: 'reliable',
      lastHit: 'reliable',
    });
    expect(roles('sframe-v6', 21)).toMatchObject({ reliable: 0, unreliable: 15, warnedAt: 0 });
    expect(roles('sframe-v5', 21)).toMatchObject({ reliable: 1, unreliable: 14, warnedAt: 2 });
  });

  test('the matrix', () => {
    const rows = buildMatrix(REFERENCE_POLICIES.map((policy) => read(referenceText(policy))));
    const texts = rows.map(({ cells }) => cells.map((cell) => cell?.text));
    expect(rows).toHaveLength(22);
    expect(texts[0]).toEqual(['ok', 'ok', 'ok', 'ok']);
    expect(texts[16]).toEqual(Array(4).fill('misses caller_1'));
    expect(texts[19]).toEqual(['unreliable', 'reliable', 'unreliable', 'reliable']);
    expect(texts[21]).toEqual([
      '15 unreliable',
      '1 reliable, 14 unreliable, WARN',
      '15 unreliable',
      '1 reliable, 14 unreliable',
    ]);
  });
});
