/**
 * Runs in every test file. One of tests that compute, or wait for child processes with spawnSync(), never
 * turns the event loop by itself, and to vitest an answer from its main process that nobody has taken
 * for a minute is an error. The second turn is one that has looked for messages.
 */
import { setImmediate } from 'node:timers/promises';
import { afterEach } from 'vitest';

afterEach(async () => {
  await setImmediate();
  await setImmediate();
});
