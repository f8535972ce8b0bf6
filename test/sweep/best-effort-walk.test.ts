/** The best-effort walk that a sweep takes over from the reliable one is the one it would have made. */
import { afterAll, describe, expect, it, vi } from 'vitest';
import { Kunwind } from '../../unwinder/kunwind.js';
import type { Policy } from '../../unwinder/policy.js';
import { WalkResult } from '../../unwinder/walk-result.js';
import type { LabParts } from '../../lab/lab-parts.js';
import { SCENARIOS, sweepParts } from '../machine-fixture.js';
import { runSweep } from './sweep-run.js';

/** What a judge and a report read of a walk. */
function told(walk: WalkResult): string {
  const { count, end, error, fault, mark, status, warned } = walk;
  const columns = [walk.entries, walk.fps, walk.sources, walk.rules, walk.hows];
  const entries = columns.map((column) => column.subarray(0, count).join());
  return JSON.stringify({ count, end, error, fault, mark, status, warned, entries });
}

const made: LabParts[] = [];
afterAll(() => {
  for (const { machine } of made) machine.close();
});

describe.each([
  ['sdei', SCENARIOS.prologue],
  ['fgraph', SCENARIOS.fgraphTail],
  ['tasks', SCENARIOS.tasks],
  ['calls', SCENARIOS.pac],
] as const)('in a sweep of %s', (family, scenario) => {
  it(`every field is that of a walk of its own (${scenario.entry})`, () => {
    const parts = sweepParts(family);
    made.push(parts);
    const { model } = parts;
    const own = new WalkResult();
    const different = new Set<string>();
    const taken = { over: 0, made: 0 };
    vi.spyOn(model, 'walkBestEffortAfter').mockImplementation(
      (policy: Policy, out: WalkResult) => {
        if (Kunwind.toBestEffort(out)) taken.over++;
        else {
          taken.made++;
          model.walk(policy, 'best-effort', out);
        }
        model.walk(policy, 'best-effort', own);
        if (told(own) !== told(out)) different.add(`${policy.name}: ${told(out)} ${told(own)}`);
      },
    );
    const run = runSweep(parts, scenario);
    expect([...different]).toEqual([]);
    expect(taken.over).toBeGreaterThan(run.tally.points);
    expect(taken.made).toBeGreaterThan(0);
  });
});
