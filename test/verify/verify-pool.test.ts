import { describe, expect, it } from 'vitest';
import { verifyInPool } from '../../verify/verify-pool.js';
import { workerScripts } from '../worker-that.js';

const LEAF = 'scenarios/leaf/leaf.elf';
const workerThat = workerScripts('verify/verify-worker.js');

describe('verifying with worker processes', () => {
  it('loses only the functions in which a process dies', async () => {
    const worker = workerThat(
      'dies',
      `process.on('message', ({ from, to }) => {
         if (from <= 5 && 5 < to) process.kill(process.pid, 'SIGKILL');
       });`,
    );
    const whole = await verifyInPool({ file: LEAF, jobs: 2 });
    const partial = await verifyInPool({ file: LEAF, jobs: 2, worker });
    if (!whole.ok || !partial.ok) throw new Error('not verified');
    const { skipped, functions, findings } = partial.value.report;
    expect(skipped).toHaveLength(1);
    expect(skipped[0]?.reason).toBe('its worker process died (signal SIGKILL)');
    expect(functions.total).toBe(whole.value.report.functions.total);
    // What was skipped is still there to be reached.
    const { instructions, rows, unreached } = partial.value.report;
    expect(instructions.total).toBe(whole.value.report.instructions.total);
    expect(rows.total).toBe(whole.value.report.rows.total);
    expect(rows.unreached).toBeGreaterThan(whole.value.report.rows.unreached);
    const lost = unreached.filter(({ reason }) => reason === 'skipped');
    expect(lost.map(({ fn }) => fn)).toEqual([skipped[0]?.fn]);
    expect(instructions.total - instructions.reached).toBe((lost[0]?.size ?? NaN) / 4);
    const expected = whole.value.report.findings.filter(({ fn }) => fn !== skipped[0]?.fn);
    expect(findings).toEqual(expected);
  });

  it('says when no process can start', async () => {
    const worker = workerThat('never', 'process.exit(3);');
    const outcome = await verifyInPool({ file: LEAF, jobs: 2, worker });
    expect(outcome).toEqual({
      ok: false,
      error: 'a worker process could not start (exit code 3)',
    });
  });
});
