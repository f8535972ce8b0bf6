/** Runs `debug --print`. */
import { expect } from 'vitest';
import type { Run } from './run-cli.js';

/**
 * What is printed of a point that can be opened.
 * @param execute runs a command line
 */
export async function debugPrint(
  execute: (args: readonly string[]) => Run | Promise<Run>,
  ...args: readonly string[]
): Promise<string> {
  const { status, stdout, stderr } = await execute(['debug', ...args, '--print']);
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout;
}
