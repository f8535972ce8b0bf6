/**
 * What fgraph-detect and fgraph-recover promise, over all families: no unsafe verdict, for any kind, but
 * where the code under test is at fault and its scenario says so.
 */
import { describe, expect, it } from 'vitest';
import { FAMILIES } from '../../targets/catalogue.js';
import type { Verdict } from '../../scenarios/scenario.js';

const RECOVERING = ['fgraph-detect', 'fgraph-recover'] as const;
const SCENARIOS = FAMILIES.flatMap(({ scenarios }) => scenarios);

/** Scenarios whose code no unwinder of this kind can be right about. */
const AT_FAULT: Readonly<Record<string, Verdict>> = {
  // Functions that call without a frame record.
  'calls/caller-without-record': 'missing',
  'review/graph-index': 'missing',
  // CFI that is wrong.
  'leaf/memcpy-moves-lr': 'missing',
  'leaf/memset-spills-lr': 'missing',
  // A buffer that looks like a record, in a live frame, and x29 at it.
  'review/ra-consumed': 'missing',
  // A FINAL record out of place: the WARN is right.
  'review/false-final': 'warned',
};

describe.each(RECOVERING)('%s', (policy) => {
  it('forbids every unsafe verdict in all scenarios but those whose code is at fault', () => {
    const unsafe = SCENARIOS.flatMap(({ name, promises }) =>
      (promises?.[policy]?.allow ?? [])
        .filter(({ verdict }) => verdict !== 'unreliable')
        .map(({ verdict, kinds }) => ({ name, verdict, kinds })),
    );
    const found = Object.fromEntries(unsafe.map(({ name, verdict }) => [name, verdict]));
    expect(found).toEqual(AT_FAULT);
    for (const { name, verdict, kinds } of unsafe) {
      expect(verdict, name).toBe(AT_FAULT[name]);
      // Not even there for SDEI.
      expect(kinds, name).toBeDefined();
      expect(kinds, name).not.toContain('sdei');
    }
  });

  it('has a promise of its own in every scenario: nothing is accepted by default', () => {
    for (const { name, promises } of SCENARIOS) {
      expect(promises?.[policy]?.allow, name).toBeDefined();
    }
  });

  it('requires a refusal at every SDEI point of the task that is walked', () => {
    const swept = SCENARIOS.filter(
      ({ kinds, walkTask }) => kinds?.includes('sdei') !== false && walkTask === undefined,
    );
    expect(swept.length).toBeGreaterThan(100);
    for (const { name, promises } of swept) {
      const everywhere = promises?.[policy]?.require?.filter(
        ({ verdict, kinds, in: functions, depth, everywhere: all }) =>
          verdict === 'unreliable' &&
          kinds?.join() === 'sdei' &&
          functions === undefined &&
          depth === undefined &&
          all === true,
      );
      expect(everywhere?.length, name).toBeGreaterThan(0);
    }
  });
});
