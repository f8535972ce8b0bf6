/** A worker that dies costs what killed it, and nothing else. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { WorkerDeaths } from '../../base/worker-deaths.js';
import { ALL_KINDS, Kind } from '../../kernel-model/exception-kind.js';
import { selectTargets } from '../../targets/catalogue.js';
import type { ScenarioReport } from '../../sweep/report.js';
import { Sweep, type SweepOptions } from '../../sweep/sweep.js';
import { type PoolOptions, WorkerPool } from '../../sweep/worker-pool.js';
import { workerScripts } from '../worker-that.js';
import { compareRanges, isSinglePoint, measuringRange, splitRange } from '../../sweep/range.js';

const workerThat = workerScripts('sweep/worker.js');

/** The report of one scenario, by two workers and one policy. @param worker default: the real one */
async function sweep(
  name: string,
  worker: Partial<PoolOptions> = {},
  extra: Partial<SweepOptions> = {},
): Promise<ScenarioReport> {
  const targets = selectTargets([name]);
  if ('unknown' in targets) throw new Error(`no scenario ${name}`);
  const options = {
    targets,
    policies: ['sframe-strict'],
    kinds: ALL_KINDS,
    replay: (_: unknown, point: string) => `--point ${point}`,
    ...extra,
  } as const;
  const outcome = await new Sweep(options, new WorkerPool({ jobs: 2, ...worker })).run();
  if (!('report' in outcome)) throw new Error(outcome.message);
  const [report] = outcome.report.scenarios;
  if (report === undefined) throw new Error('nothing was swept');
  return report;
}

describe('a worker that dies', () => {
  it('costs one point, which is named; all others are judged as ever', async () => {
    const whole = await sweep('sdei/leaf', {}, { depth: 1 });
    expect({ unexpected: whole.unexpected, problems: whole.problems }).toEqual({
      unexpected: 0,
      problems: [],
    });
    const worker = workerThat(
      'dies-at-a-point',
      `process.on('message', ({ range: { from, to, kinds } }) => {
         if (from <= 3 && 3 < to && (kinds & ${1 << Kind.IRQ}) !== 0) process.abort();
       });`,
    );
    const deaths = new WorkerDeaths();
    const { points, unexpected, problems, policies } = await sweep(
      'sdei/leaf',
      { worker, died: deaths.add },
      { depth: 1 },
    );
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
    expect(deaths.line).toMatch(/^\d+ worker processes died and were replaced: signal SIGABRT/);
    const before = whole.policies['sframe-strict'];
    // An interrupt of an ordinary instruction was exact.
    expect(policies['sframe-strict']).toEqual({ ...before, exact: (before?.exact ?? 0) - 1 });
  });

  it('of nothing that it was given costs nothing, and is told', async () => {
    const whole = await sweep('sdei/leaf', {}, { depth: 1 });
    // Each of the first processes dies of the first unit with points, and of nothing later.
    const mark = join(mkdtempSync(join(tmpdir(), 'kunwind-once-')), 'died');
    const worker = workerThat(
      'killed-once',
      `import { writeFileSync } from 'node:fs';
       process.on('message', ({ range: { kinds } }) => {
         if (kinds === 0) return;
         try { writeFileSync(${JSON.stringify(mark)}, '', { flag: 'wx' }); } catch { return; }
         process.kill(process.pid, 'SIGKILL');
       });`,
    );
    const deaths = new WorkerDeaths();
    const swept = await sweep('sdei/leaf', { worker, died: deaths.add }, { depth: 1 });
    rmSync(dirname(mark), { recursive: true });
    expect(swept).toEqual(whole);
    expect(deaths.line).toBe('1 worker process died and was replaced: signal SIGKILL');
  });

  it('because of the scenario itself costs that scenario', async () => {
    const worker = workerThat(
      'dies-measuring',
      `process.on('message', ({ range: { kinds, outerKinds } }) => {
         if (kinds === 0 && outerKinds === 0) process.abort();
       });`,
    );
    const { points, unexpected, problems, unmet } = await sweep('sdei/leaf', { worker });
    expect({ points, unexpected, unmet }).toEqual({ points: 0, unexpected: 1, unmet: [] });
    expect(problems.map(({ kind, point }) => [kind, point])).toEqual([['worker-died', undefined]]);
    expect(problems[0]?.detail).toMatch(/died \(signal SIGABRT\); the run without exceptions/);
  });

  it('before it can do anything ends the sweep, which says so, and why', async () => {
    const speaking = workerThat('speaking', `console.error('out of luck'); process.exit(3);`);
    await expect(sweep('sdei/leaf', { worker: speaking })).rejects.toThrow(
      'a worker process could not start (exit code 3: out of luck)',
    );
    const worker = workerThat('never', 'process.exit(3);');
    await expect(sweep('sdei/leaf', { worker })).rejects.toThrow(
      'a worker process could not start (exit code 3)',
    );
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
