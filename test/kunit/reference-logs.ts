/** The reference logs of a real kernel, where they are at hand: beside the project. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** The policies that a real kernel was run with. */
export const REFERENCE_POLICIES = [
  'frame-pointer',
  'sframe-v5',
  'sframe-v6',
  'sframe-strict',
] as const;

const FOLDER = resolve(import.meta.dirname, '../../../shared/reference/kunit');

/** The folder with `<policy>.ktap`, or undefined: tests that need it are skipped. */
export const referenceFolder: string | undefined = existsSync(FOLDER) ? FOLDER : undefined;

/** The text of one log. */
export function referenceText(policy: string): string {
  return readFileSync(resolve(FOLDER, `${policy}.ktap`), 'utf8');
}
