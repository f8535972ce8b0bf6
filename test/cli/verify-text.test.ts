import { expect, it } from 'vitest';
import { verdictLine } from '../../cli/verify-text.js';
import { makeReport } from '../../verify/report.js';

it('does not round up to all instructions', () => {
  const report = makeReport([]);
  const line = (reached: number): string =>
    verdictLine({ ...report, instructions: { total: 947_155, reached } });
  expect(line(947_115)).toContain('947,115 of 947,155 instructions reached (99.99%)');
  expect(line(947_155)).toContain('(100.00%)');
});
