import { describe, expect, it } from 'vitest';
import { fitLine, lineFromMarked, lineOf, MARKING, textOf } from '../../../debug/tui/span.js';

describe('a line', () => {
  it('is filled or cut to its width', () => {
    expect(textOf(fitLine(lineOf('abc'), 5))).toBe('abc  ');
    expect(textOf(fitLine(lineOf('abcde'), 5))).toBe('abcde');
    expect(textOf(fitLine([...lineOf('abcd'), ...lineOf('efgh', 'bad')], 6))).toBe('abcde~');
    expect(textOf(fitLine([...lineOf('abcd'), ...lineOf('efgh')], 4))).toBe('abc~');
  });

  it('keeps a hostile symbol name from the terminal', () => {
    expect(textOf(fitLine(lineOf('a\x1b[2Jb\u{4e2d}\n'), 10))).toBe('a?[2Jb??  ');
  });

  it('gets its tones from the marks of the plain text', () => {
    const text = `a ${MARKING.red('bad')} ${MARKING.bold('bold')}`;
    expect(lineFromMarked(text)).toEqual([
      { text: 'a ', tone: 'plain' },
      { text: 'bad', tone: 'bad' },
      { text: ' ', tone: 'plain' },
      { text: 'bold', tone: 'bold' },
    ]);
  });
});
