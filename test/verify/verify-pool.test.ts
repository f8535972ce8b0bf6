import { describe, expect, it } from 'vitest';
import { WorkerDeaths } from '../../base/worker-deaths.js';
import { jsonReport } from '../../cli/verify-json.js';
import { reportLines } from '../../cli/verify-text.js';
import { sarifLog } from '../../verify/sarif.js';
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
    const deaths = new WorkerDeaths();
    const partial = await verifyInPool({ file: LEAF, jobs: 2, worker, died: deaths.add });
    expect(deaths.line).toMatch(/^\d+ worker processes died and were replaced: signal SIGKILL$/);
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

  it('that is interrupted reports the rest as skipped, and never as true', async () => {
    const whole = await verifyInPool({ file: LEAF, jobs: 1 });
    const ending = new AbortController();
    const progress = (): void => {
      ending.abort();
    };
    const { signal } = ending;
    const part = await verifyInPool({ file: LEAF, jobs: 1, signal, progress });
    if (!whole.ok || !part.ok) throw new Error('not verified');
    const { functions, instructions, rows, skipped, findings } = part.value.report;
    expect(functions.total).toBe(whole.value.report.functions.total);
    expect(rows.total).toBe(whole.value.report.rows.total);
    expect(instructions.reached).toBeGreaterThan(0);
    expect(instructions.reached).toBeLessThan(whole.value.report.instructions.reached);
    expect(skipped.length).toBeGreaterThan(0);
    expect(new Set(skipped.map(({ reason }) => reason))).toEqual(new Set(['interrupted']));
    expect(whole.value.report.findings).toEqual(expect.arrayContaining([...findings]));
    const text = (await reportLines(LEAF, undefined, part.value.report)).join('\n');
    expect(text).toContain(`partial: interrupted, ${skipped.length} functions not verified\n`);
    expect(text).not.toContain('skipped: ');
    expect(jsonReport(LEAF, part.value.report)).toHaveProperty('partial', true);
    expect(jsonReport(LEAF, whole.value.report)).not.toHaveProperty('partial');
    const sarif = JSON.stringify(sarifLog(LEAF, '0', part.value.report, () => ''));
    expect(sarif).toContain('"executionSuccessful":false');
    expect(JSON.stringify(sarifLog(LEAF, '0', whole.value.report, () => ''))).not.toContain(
      'executionSuccessful',
    );
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
