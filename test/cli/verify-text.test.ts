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

it('counts one thing as one', async () => {
  const nothing = { counts: noCounts(), findings: [], unreached: [], skipped: [] };
  const note = (kind: Note['kind']): Note => ({ kind, fn: 'f', start: 0, pc: 0, detail: '' });
  const notes = [note('after-noreturn-call'), note('step-limit'), note('sp-lost')];
  const linesFor = (times: number): Promise<string[]> => {
    const counts = { ...noCounts(), functions: times, instructions: times };
    const all = Array.from({ length: times }, () => notes).flat();
    return reportLines(
      'a.o',
      undefined,
      makeReport([{ ...nothing, counts, notes: all, unreachedRows: [] }]),
    );
  };
  const [one, two] = [await linesFor(1), await linesFor(2)];
  const end = 'a return address whose row does not describe the call';
  expect(one.slice(0, 3)).toEqual([
    `note: 1 call that never returns leaves ${end}`,
    'note: 1 function in which not all paths were followed',
    'note: 1 instruction after which SP is not known',
  ]);
  expect(one[3]).toMatch(/^1 function \(0 with findings\); 0 of 1 instruction reached/);
  expect(two[0]).toBe(`note: 2 calls that never return leave ${end}`);
  expect(two[3]).toMatch(/^2 functions .* 0 of 2 instructions reached/);
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
