/**
 * A pause of the event loop behind each test. Tests that wait for a child process or step an emulator keep it busy, and
 * Vitest gives up a worker that has not taken an answer of its own for 60 s: on a busy machine a file of passing
 * tests fails then.
 */
import { afterEach } from 'vitest';

afterEach(async () => {
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
});
