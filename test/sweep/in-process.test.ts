/** A sweep needs no worker process when it is handed another executor. */
import { afterAll, describe, expect, it } from 'vitest';
import { ALL_KINDS } from '../../kernel-model/exception-kind.js';
import { Lab } from '../../lab/lab.js';
import { InProcessExecutor, type Runner } from '../../sweep/in-process.js';
import { UnitRunner } from '../../sweep/run-unit.js';
import {
  Sweep,
  type SweepFailure,
  type SweepOptions,
  type SweepOutcome,
} from '../../sweep/sweep.js';
import { WorkerPool } from '../../sweep/worker-pool.js';
import { selectTargets } from '../../targets/catalogue.js';
import { backend, must } from '../cpu-fixture.js';

const lab = must(Lab.create(backend()));
afterAll(() => {
  lab.close();
});

function options(name: string): SweepOptions {
  const targets = selectTargets([name]);
  if ('unknown' in targets) throw new Error(`no scenario ${name}`);
  return { targets, policies: ['sframe-strict'], kinds: ALL_KINDS, replay: () => '' };
}

function reportOf(outcome: SweepOutcome | SweepFailure) {
  if (!('report' in outcome)) throw new Error(outcome.message);
  const { scenarios, jobs, points } = outcome.report;
  return { scenarios, jobs, points, memory: outcome.peakMemory > 0 };
}

describe('a sweep in this process', () => {
  it('reports what workers do, and as often as it is asked', async () => {
    const executor = () => new InProcessExecutor(new UnitRunner(lab));
    const here = reportOf(await new Sweep(options('entry/trivial'), executor()).run());
    const pool = new WorkerPool({ jobs: 1 });
    expect(here).toEqual(reportOf(await new Sweep(options('entry/trivial'), pool).run()));
    expect(here.points).toBeGreaterThan(1000);
    expect(reportOf(await new Sweep(options('entry/trivial'), executor()).run())).toEqual(here);
  });

  it('can be ended between two units, where timers and signals have their turn', async () => {
    const units: number[] = [];
    const runner = new UnitRunner(lab);
    const counting: Runner = {
      run: (request) => {
        units.push(request.id);
        return runner.run(request);
      },
    };
    const all = new Sweep(options('entry/trivial'), new InProcessExecutor(counting));
    expect(await all.run()).toHaveProperty('report');
    expect(units.length).toBeGreaterThan(2);
    units.length = 0;
    const sweep = new Sweep(options('entry/trivial'), new InProcessExecutor(counting), () => {
      // A signal is heard like this: not at once, but when the event loop comes round.
      setImmediate(() => {
        sweep.abort();
      });
    });
    expect(await sweep.run()).toEqual({ kind: 'interrupted', message: 'interrupted' });
    expect(units).toHaveLength(1);
  });

  it('that is ended later reports its part, and no requirement for lack of points', async () => {
    const runner = () => new InProcessExecutor(new UnitRunner(lab));
    const { targets } = options('calls/pac');
    const several = { ...options('calls'), targets: [...targets, ...options('calls').targets] };
    const whole = await new Sweep(several, runner()).run();
    if (!('report' in whole)) throw new Error(whole.message);
    expect(whole.report).not.toHaveProperty('partial');
    const sweep = new Sweep(several, runner(), ({ points }) => {
      if (points > 0)
        setImmediate(() => {
          sweep.abort();
        });
    });
    const part = await sweep.run();
    if (!('report' in part)) throw new Error(part.message);
    const { partial, points, scenarios, unexpected } = part.report;
    expect(partial?.done).toBeGreaterThan(0);
    expect(partial?.done).toBeLessThan(partial?.total ?? 0);
    expect(points).toBeLessThan(whole.report.points);
    expect(unexpected).toBe(0);
    expect(scenarios).toHaveLength(several.targets.length);
    // Those that were done are as ever; the others say that they are not.
    const done = scenarios.filter((scenario) => scenario.partial === undefined);
    expect(done.length).toBeGreaterThan(0);
    expect(done.length).toBeLessThan(scenarios.length);
    expect(done).toEqual(whole.report.scenarios.slice(0, done.length));
    for (const { unmet, problems } of scenarios.slice(done.length)) {
      expect({ unmet, problems }).toEqual({ unmet: [], problems: [] });
    }
  });

  it('fails with the error that a unit fails with', async () => {
    const run = () => Promise.reject(new Error('no such luck'));
    const sweep = new Sweep(options('entry/trivial'), new InProcessExecutor({ run }));
    await expect(sweep.run()).rejects.toThrow('no such luck');
  });
});
