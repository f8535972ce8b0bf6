import { expect, it } from 'vitest';
import { count, plural } from '../../base/number-text.js';
import { signedOffset } from '../../base/signed-offset.js';

it('counts one thing as one, and large numbers by thousands', () => {
  expect([0, 1, 2, 84_305].map((value) => plural(value, 'more row'))).toEqual([
    '0 more rows',
    '1 more row',
    '2 more rows',
    '84,305 more rows',
  ]);
  expect(count(1_000_000)).toBe('1,000,000');
});

it('gives an offset one sign', () => {
  expect([-32, 0, 32].map(signedOffset)).toEqual(['-32', '+0', '+32']);
});
