/** Runs `debug --print` as a user does. */
import { expect } from 'vitest';
import { run } from './run-cli.js';

/** What is printed of a point that can be opened. */
export function debugPrint(...args: string[]): string {
  const { status, stdout, stderr } = run(['debug', ...args, '--print']);
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout;
}
