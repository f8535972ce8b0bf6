import { describe, expect, it } from 'vitest';
import { notPrinted } from './shown-output.js';

const PRINTED =
  'one\ntwo\n\nthree\nfour\n12 points in 2 scenarios, 3.1 s, 4 points/s: all as promised\n';
const LAST = '12 points in 2 scenarios: all as promised';

describe('what a document shows of an output', () => {
  it.each([
    ['all of it', `one\ntwo\n\nthree\nfour\n${LAST}\n`],
    ['its beginning', 'one\ntwo\n...\n'],
    ['its end', `...\nfour\n${LAST}\n`],
    ['both', `one\n...\n${LAST}\n`],
    ['a part of it', '...\nthree\nfour\n...\n'],
    ['several parts', 'one\n...\nthree\n  ...\n'],
    [
      'a time that differs',
      '...\n12 points in 2 scenarios, 99.0 s, 1,234 points/s, 8 workers of up to 3 MB: all as promised\n',
    ],
    ['nothing left out', `one\n...\ntwo\n\nthree\nfour\n${LAST}\n`],
  ])('is printed: %s', (_, shown) => {
    expect(notPrinted(shown, PRINTED)).toBeUndefined();
  });

  it.each([
    [
      'a number',
      '...\n13 points in 2 scenarios: all as promised\n',
      '13 points in 2 scenarios: all as promised',
    ],
    ['another first line', 'two\n...\n', 'two'],
    ['another last line', '...\nfour\n', 'four'],
    ['a line left out without a mark', 'one\ntwo\nthree\n...\n', 'one'],
    ['lines in another order', '...\nthree\n...\ntwo\n...\n', 'two'],
    ['the end missing', 'one\ntwo\n\nthree\nfour\n', LAST],
  ])('is found wrong: %s', (_, shown, line) => {
    expect(notPrinted(shown, PRINTED)).toBe(line);
  });

  it('has workers and their memory left out', () => {
    const printed =
      '2 points in 1 scenario, 1 m 05 s, 2,000 points/s, 2 workers of up to 1,024 MB: 1 unexpected\n';
    expect(notPrinted('2 points in 1 scenario: 1 unexpected\n', printed)).toBeUndefined();
    expect(notPrinted('2 points in 1 scenario: all as promised\n', printed)).toBeDefined();
  });
});
