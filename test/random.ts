/** Random numbers, the same in every run; KUNWIND_SEED draws others. */
export { randomIntegers } from '../base/random.js';

/** The seed of this run, which the name or the message of a failed test says. */
export function newSeed(): number {
  return Number(process.env['KUNWIND_SEED'] ?? 1);
}
