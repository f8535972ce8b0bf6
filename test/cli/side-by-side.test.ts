import { expect, it } from 'vitest';
import picocolors from 'picocolors';
import { align, sideBySide } from '../../cli/side-by-side.js';

const style = { colors: picocolors.createColors(false), width: 100 };

it('puts equal entries on one line, optional ones included', () => {
  expect(align(['a', '(t)', 'b', 'c'], ['a', 't', 'x', 'c'])).toEqual([
    { truth: 'a', trace: 'a' },
    { truth: '(t)', trace: 't' },
    { truth: 'b', trace: undefined },
    { truth: undefined, trace: 'x' },
    { truth: 'c', trace: 'c' },
  ]);
  expect(align([], [])).toEqual([]);
});

it('marks what a trace that claims to be complete lacks or adds', () => {
  const claimed = sideBySide(['a', 'b', '(t)'], ['a', 'x'], true, 40, style);
  expect(claimed).toEqual(['truth   trace', 'a       a', 'b       - absent', '(t)', '        + x']);
  const honest = sideBySide(['a', 'b'], ['a'], false, 40, style);
  expect(honest).toEqual(['truth   trace', 'a       a', 'b']);
});

it('drops the sizes of all functions when one entry is too long', () => {
  const entries = ['short+0x4/0x10', '(a_rather_long_name+0x4/0x10)'];
  expect(sideBySide(entries, entries, true, 70, style)[2]).toContain('0x4/0x10)   (a');
  expect(sideBySide(entries, entries, true, 55, style).slice(1)).toEqual([
    'short+0x4                  short+0x4',
    '(a_rather_long_name+0x4)   (a_rather_long_name+0x4)',
  ]);
});

it('cuts names that are too long', () => {
  const [, line] = sideBySide(['a'.repeat(50)], ['a'.repeat(50)], true, 23, style);
  expect(line).toBe(`${'a'.repeat(9)}…   ${'a'.repeat(9)}…`);
});
