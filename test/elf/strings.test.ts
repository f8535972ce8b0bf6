import { expect, it } from 'vitest';
import { nameAt } from '../../elf/strings.js';

it('writes control characters of a name so that it stays on one line', () => {
  const table = Buffer.from('\0.text\n\x1b[31m\x7f\0.data\0');
  expect(nameAt(table, 1)).toBe('.text^J^[[31m^?');
  expect(nameAt(table, 14)).toBe('.data');
});
