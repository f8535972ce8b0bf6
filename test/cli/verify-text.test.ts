import { expect, it } from 'vitest';
import { reportLines, verdictLine } from '../../cli/verify-text.js';
import { makeReport } from '../../verify/report.js';
import { noCounts, type Note } from '../../verify/finding.js';

it('does not round up to all instructions', () => {
  const report = makeReport([]);
  const line = (reached: number): string =>
    verdictLine({ ...report, instructions: { total: 947_155, reached } });
  expect(line(947_115)).toContain('947,115 of 947,155 instructions reached (99.99%)');
  expect(line(947_155)).toContain('(100.00%)');
});

it('names what the engine does not know, with its place', async () => {
  const unknown = (offset: number, word: number): Note => {
    const place = { fn: 'pac', start: 0x1000, pc: 0x1000 + offset };
    return { kind: 'unknown-instruction', ...place, detail: '', word };
  };
  const linesFor = async (...notes: Note[]): Promise<string[]> => {
    const nothing = { counts: noCounts(), findings: [], unreached: [], unreachedRows: [] };
    const report = makeReport([{ ...nothing, notes, skipped: [] }]);
    return (await reportLines('a.o', undefined, report)).slice(0, -1);
  };
  expect(await linesFor(unknown(4, 0xdac1a3fe))).toEqual([
    'note: 1 instruction unknown to the engine: paciasppc (word 0xdac1a3fe) at pac+0x4 (0x1004)',
  ]);
  const seven = [0, 4, 8, 12, 16, 20, 24].map((offset) => unknown(offset, 0xffffffff));
  const lines = await linesFor(...seven);
  expect(lines).toHaveLength(6);
  expect(lines[0]).toBe(
    'note: 7 instructions unknown to the engine: word 0xffffffff at pac+0x0 (0x1000)',
  );
  expect(lines[1]).toMatch(/^ {44}word 0xffffffff at pac\+0x4 \(0x1004\)$/);
  expect(lines[5]).toMatch(/^ {44}and 2 more$/);
});
