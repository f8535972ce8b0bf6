/** Random numbers that a failed test can repeat: set KUNWIND_SEED to the seed it printed. */
export { randomIntegers } from '../fuzz/random.js';

/** A seed: from the environment, else from the clock. */
export function newSeed(): number {
  return Number(process.env['KUNWIND_SEED'] ?? Date.now() % 0x7fffffff);
}
