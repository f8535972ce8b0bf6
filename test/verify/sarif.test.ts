import { expect, it } from 'vitest';
import { makeReport } from '../../verify/report.js';
import { sarifLog } from '../../verify/sarif.js';

it('names a file by a relative reference that leads to it', () => {
  const file = 'out/50% a:b#1?.o';
  const log = sarifLog(file, '1.0.0', makeReport([]), () => '');
  expect(log).toMatchObject({
    runs: [{ artifacts: [{ location: { uri: 'out/50%25%20a%3Ab%231%3F.o' } }] }],
  });
  const base = 'file:///work/';
  expect(decodeURIComponent(new URL('out/50%25%20a%3Ab%231%3F.o', base).pathname)).toBe(
    `/work/${file}`,
  );
});
