import { readFileSync } from 'node:fs';
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

  it('are those of docs/debugger.md', () => {
    const docs = readFileSync(new URL('../../../docs/debugger.md', import.meta.url), 'utf8');
    const section = docs.slice(docs.indexOf('### Keys'), docs.indexOf('## Positions'));
    const rows = section.split('\n').filter((line) => line.startsWith('| `'));
    const documented = rows.map((row) => (row.split('|')[1] ?? '').replaceAll('`', '').trim());
    const end = HELP_TEXT.findIndex((line) => line.startsWith('Marks'));
    const helped = HELP_TEXT.slice(0, end).filter((line) => line.startsWith('  '));
    expect(documented).toEqual(helped.map((line) => line.slice(2, 11).trim()));
  });

  it('are explained within 80 columns', () => {
    expect(HELP_LINE.length).toBeLessThan(80);
    for (const line of HELP_TEXT) expect(line.length).toBeLessThanOrEqual(80);
  });
});
