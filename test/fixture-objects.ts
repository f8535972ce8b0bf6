/** The objects of test/fixtures/sframe: compiled elsewhere, committed with what they came from. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

export const FIXTURES = join(import.meta.dirname, 'fixtures/sframe');

/** Names of all of them. */
export const fixtureNames = readdirSync(FIXTURES).filter((name) => name.endsWith('.o'));

/** The bytes of one. */
export function fixture(name: string): Buffer {
  return readFileSync(join(FIXTURES, name));
}
