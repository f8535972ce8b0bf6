import { expect, it } from 'vitest';
import { errorName } from '../../base/errno.js';

it('names an error that the kernel returns', () => {
  expect([-22, -2, -524, -4000, 7].map(errorName)).toEqual([
    '-EINVAL',
    '-ENOENT',
    '-ENOTSUPP',
    '-4000',
    '7',
  ]);
});
