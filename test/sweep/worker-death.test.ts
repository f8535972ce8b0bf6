/** A worker that dies costs what killed it, and nothing else. */
import { describe, expect, it } from 'vitest';
import { ALL_KINDS } from '../../kernel-model/exception-kind.js';
import { selectTargets } from '../../targets/catalogue.js';
import type { ScenarioReport } from '../../sweep/report.js';
import { Sweep, type SweepOptions } from '../../sweep/sweep.js';
import { compareRanges, isSinglePoint, measuringRange, splitRange } from '../../sweep/range.js';

/** The report of one scenario, by two workers and one policy. */
async function sweep(name: string, extra: Partial<SweepOptions> = {}): Promise<ScenarioReport> {
  const targets = selectTargets([name]);
  if ('unknown' in targets) throw new Error(`no scenario ${name}`);
  const outcome = await new Sweep({
    targets,
    policies: ['sframe-strict'],
    kinds: ALL_KINDS,
    jobs: 2,
    replay: (_, point) => `--point ${point}`,
    ...extra,
  }).run();
  if (!('report' in outcome)) throw new Error(outcome.message);
  const [report] = outcome.report.scenarios;
  if (report === undefined) throw new Error('nothing was swept');
  return report;
}

describe('a worker that dies', () => {
  it('costs one point, which is named; all others are judged as ever', async () => {
    const whole = await sweep('sdei/leaf', { depth: 1 });
    expect({ unexpected: whole.unexpected, problems: whole.problems }).toEqual({
      unexpected: 0,
      problems: [],
    });
    const { points, unexpected, problems, policies } = await sweep('sdei/leaf', {
      depth: 1,
      crashAt: '3:irq',
    });
    expect(points).toBe(whole.points - 1);
    expect(unexpected).toBe(1);
    expect(problems).toEqual([
      {
        kind: 'worker-died',
        point: '3:irq',
        at: '',
        detail: 'the worker process died (signal SIGABRT); the point was not judged',
        replay: '--point 3:irq',
      },
    ]);
    const before = whole.policies['sframe-strict'];
    // An interrupt of an ordinary instruction was exact.
    expect(policies['sframe-strict']).toEqual({ ...before, exact: (before?.exact ?? 0) - 1 });
  });

  it('because of the scenario itself costs that scenario', async () => {
    const { points, unexpected, problems, unmet } = await sweep('sdei/leaf', { crashAt: 'run' });
    expect({ points, unexpected, unmet }).toEqual({ points: 0, unexpected: 1, unmet: [] });
    expect(problems.map(({ kind, point }) => [kind, point])).toEqual([['worker-died', undefined]]);
    expect(problems[0]?.detail).toMatch(/died \(signal SIGABRT\); the run without exceptions/);
  });
});

describe('the parts of a unit', () => {
  type Range = Parameters<typeof splitRange>[0];
  const parts = (range: Range): Range[] =>
    isSinglePoint(range) ? [range] : splitRange(range).flatMap(parts);

  it.each([
    ['at depth 1', { ...measuringRange(1), from: 3, to: 8, kinds: ALL_KINDS }],
    [
      'at both depths',
      {
        ...measuringRange(1),
        from: 3,
        to: 5,
        kinds: 0b11,
        outerKinds: 0b101,
        innerKinds: 0b110,
        innerTo: 5,
      },
    ],
  ])('%s are put in the order of what they cover, however they come', (_, range) => {
    const inOrder = parts(range);
    expect(inOrder.length).toBeGreaterThan(20);
    expect([...inOrder].reverse().sort(compareRanges)).toEqual(inOrder);
  });
});
