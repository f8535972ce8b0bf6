/**
 * Tests that can try very much: `npm test` tries a part of it, the same in every run, and
 * `npm run test:exhaustive`, which CI runs as well, all of it. Test files that import this are its files.
 */
import { inject } from 'vitest';
import { newSeed, randomIntegers } from './random.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** By the project in vitest.config.ts. */
    readonly exhaustive: boolean;
  }
}

/** Whether all of it is tried. */
export const EXHAUSTIVE = inject('exhaustive');

/**
 * All of these, or as many as are named: one at random of each of as many parts of equal length, so that
 * no stretch of them is left out. KUNWIND_SEED draws others.
 */
export function sample<T>(all: readonly T[], count: number): readonly T[] {
  if (EXHAUSTIVE || count >= all.length) return all;
  const random = randomIntegers(newSeed());
  const start = (part: number): number => Math.floor((part * all.length) / count);
  return Array.from({ length: count }, (_, part) => {
    const first = start(part);
    return all[first + random(start(part + 1) - first)];
  }).filter((one) => one !== undefined);
}
