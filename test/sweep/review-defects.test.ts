/** Defects of the walker that the default sweep sees through one scenario of the review family each. */
import { afterEach, describe, expect, it } from 'vitest';
import { KIND_NAMES, kindSet } from '../../kernel-model/exception-kind.js';
import { family } from '../../scenarios/review/review.js';
import { isAllowed, unmetRequirements, type VerdictCount } from '../../sweep/promises.js';
import type { LabParts } from '../../lab/lab-parts.js';
import { MODES } from '../../sweep/tally.js';
import { VERDICTS } from '../../scenarios/verdict.js';
import type { UnwindDefect } from '../../unwinder/walk-defect.js';
import { sweepParts } from '../machine-fixture.js';
import { POLICY_LIST, problemText, runSweep } from './sweep-run.js';

let parts: LabParts | undefined;
afterEach(() => parts?.machine.close());

/** What is not as promised when a scenario is swept: `policy verdict`, each once. */
function reds(name: string, defect?: UnwindDefect): string[] {
  const scenario = family.scenarios.find((one) => one.name === name);
  if (scenario === undefined) throw new Error(name);
  const kinds = kindSet(scenario.kinds ?? KIND_NAMES);
  const made = (parts = sweepParts('review', defect));
  const run = runSweep(made, scenario, { kinds });
  expect(problemText(run)).toEqual([]);
  const counts: VerdictCount[] = [...run.tally.entries()].map(({ key, count }) => ({
    fn: made.functions.names[key.fn] ?? '?',
    kind: KIND_NAMES[key.kind] ?? 'irq',
    depth: key.depth === 2 ? 2 : 1,
    policy: POLICY_LIST[key.policy]?.name ?? 'frame-pointer',
    mode: MODES[key.mode] ?? 'reliable',
    verdict: VERDICTS[key.verdict] ?? 'fault',
    count,
  }));
  const policies = POLICY_LIST.map((policy) => policy.name);
  const unmet = unmetRequirements(scenario, counts, { policies, kinds, depth: 1 });
  const unexpected = counts.filter((count) => !isAllowed(scenario, count));
  return [
    ...new Set([
      ...unmet.map(({ policy, required }) => `${policy} not ${required.verdict}`),
      ...unexpected.map(({ policy, verdict }) => `${policy} ${verdict}`),
    ]),
  ];
}

const SHOWN_BY: readonly (readonly [UnwindDefect, string, string])[] = [
  ['stack-reentered', 'review/stack-left', 'sframe-strict not unreliable'],
  ['final-anywhere', 'review/false-final', 'sframe-strict not warned'],
  ['graph-index-not-kept', 'review/graph-index', 'sframe-strict not exact'],
  ['fp-load-consumes', 'review/fp-above-ra', 'sframe-strict not exact'],
  ['ra-load-keeps', 'review/ra-consumed', 'sframe-strict not unreliable'],
];

describe.each(SHOWN_BY)('%s', (defect, name, red) => {
  it(`leaves ${name} as promised when it is not there`, () => {
    expect(reds(name)).toEqual([]);
  });

  it(`turns ${name} red`, () => {
    expect(reds(name, defect)).toContain(red);
  });
});

it('FP below RA does not tell whether FP is consumed', () => {
  expect(reds('review/fp-below-ra', 'fp-load-consumes')).toEqual([]);
});
