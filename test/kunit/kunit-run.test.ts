import { describe, expect, test } from 'vitest';
import { WorkerDeaths } from '../../base/worker-deaths.js';
import { KUNIT_CASES } from '../../kunit/cases.js';
import { runKunit } from '../../kunit/kunit-run.js';
import { workerScripts } from '../worker-that.js';

const workerThat = workerScripts('kunit/kunit-worker.js');
const cases = KUNIT_CASES.slice(0, 4);

describe('workers', () => {
  test('give the same answers whatever their number', async () => {
    const policies = ['sframe-strict', 'fgraph-recover'] as const;
    const runs = await Promise.all([1, 3].map((jobs) => runKunit({ policies, cases, jobs })));
    const [one, three] = runs.map((run) => {
      if (!run.ok) throw new Error(run.error);
      return run.value.map((suite) => suite.cases.map(({ run: { steps } }) => steps));
    });
    expect(one?.map((suite) => suite.length)).toEqual([4, 4]);
    expect(three).toEqual(one);
  });

  test('one that dies costs one case of one policy', async () => {
    const policies = ['sframe-v5', 'sframe-v6', 'fgraph-detect'] as const;
    const worker = workerThat(
      'dies-of-a-policy',
      `process.on('message', ({ policies, caseName }) => {
         if (caseName === 'test_nounwind_tail' && policies.includes('sframe-v6')) process.abort();
       });`,
    );
    const deaths = new WorkerDeaths();
    const outcome = await runKunit({ policies, cases, jobs: 2, worker, died: deaths.add });
    // Once with other policies, and once alone.
    expect(deaths.line).toMatch(/^2 worker processes died and were replaced: signal SIGABRT/);
    if (!outcome.ok) throw new Error(outcome.error);
    const problems = outcome.value.flatMap(({ policy, cases: ran }) =>
      ran.flatMap(({ run }) =>
        run.steps
          .filter(({ problem }) => problem !== '')
          .map(({ problem }) => `${policy} ${run.caseName} ${problem}`),
      ),
    );
    expect(outcome.value.map((suite) => suite.cases.length)).toEqual([4, 4, 4]);
    expect(problems).toEqual([
      'sframe-v6 test_nounwind_tail the worker process died (signal SIGABRT)',
    ]);
  });
});
