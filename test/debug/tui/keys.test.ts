import { describe, expect, it } from 'vitest';
import { commandFor, HELP_LINE, HELP_TEXT } from '../../../debug/tui/keys.js';

describe('keys', () => {
  it('have the way back on the capital letter', () => {
    for (const key of ['s', 'o', 'f', 'a', 'l', 'v', 'c', 'p', 'i']) {
      const forward = commandFor(key);
      expect(forward).toBeDefined();
      expect(commandFor(key.toUpperCase())).toBe(`${forward ?? ''}-back`);
    }
  });

  it('mean one thing each', () => {
    const letters = HELP_TEXT.flatMap((line) => /^ {2}(\S) (\S) /.exec(line)?.slice(1) ?? []);
    expect(letters.length).toBeGreaterThan(20);
    expect(new Set(letters).size).toBe(letters.length);
    for (const letter of letters) expect(commandFor(letter)).toBeDefined();
  });

  it('are explained within 80 columns', () => {
    expect(HELP_LINE.length).toBeLessThan(80);
    for (const line of HELP_TEXT) expect(line.length).toBeLessThanOrEqual(80);
  });
});
