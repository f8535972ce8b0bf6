/** Random numbers that a failed test can repeat: set KUNWIND_SEED to the seed it printed. */

/** A seed: from the environment, else from the clock. */
export function newSeed(): number {
  return Number(process.env['KUNWIND_SEED'] ?? Date.now() % 0x7fffffff);
}

/** mulberry32: integers in `[0, limit)`. */
export function randomIntegers(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * limit);
  };
}
