import { expect, it } from 'vitest';
import { isPattern, matchesPattern } from '../../base/name-pattern.js';

it.each([
  ['leaf/memcpy', 'leaf/memcpy', true],
  ['leaf/memcpy', 'leaf/memcpy-nocfi', false],
  ['leaf/mem*', 'leaf/memcpy-nocfi', true],
  ['*mem*', 'leaf/memcpy', true],
  ['*cpy', 'leaf/memcpy', true],
  ['*cpy', 'leaf/memcpy-nocfi', false],
  ['a*b*c', 'aXbYbZc', true],
  ['a*b*c', 'aXbYcZ', false],
  ['a*a', 'a', false],
  ['*', '', true],
  ['**', 'x', true],
  ['', '', true],
  ['', 'x', false],
  ['memse?', 'memset', true],
  ['memset?', 'memset', false],
  ['a.c', 'abc', false],
  ['[a]+(b)$', '[a]+(b)$', true],
  ['*.constprop.*', 'fn.constprop.0', true],
])('%s and %s: %s', (pattern, name, matches) => {
  expect(matchesPattern(pattern, name)).toBe(matches);
});

it('ends soon for many stars', () => {
  const name = 'test_unwind_reliable_with_fgraph_notail'.repeat(100);
  expect(matchesPattern(`${'*a'.repeat(200)}*x`, name)).toBe(false);
  expect(matchesPattern('*'.repeat(1000), name)).toBe(true);
});

it('takes a name with a star for a pattern', () => {
  expect(isPattern('mem*')).toBe(true);
  expect(isPattern('memcpy')).toBe(false);
});
