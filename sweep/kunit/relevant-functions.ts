/** Which functions of a printed walk are compared between two builds of the kernel, and under what names. */
import type { TraceEntry } from './suite-log.js';

/** What gcc appends to the name of a function that it cloned or split. */
const GCC_SUFFIX = /\.(?:constprop|part|isra|cold|localalias|lto_priv)(?:\.\d+)*/g;

/**
 * Functions that one build has and the other inlines or has no need of; they are passed over on
 * both sides. Each with the reason why nothing is lost.
 */
export const PLUMBING: ReadonlyMap<string, string> = new Map([
  ['arch_stack_walk_reliable', 'where the guest hands over to the unwinder; inlined in the kernel'],
]);

/** A function's name as it is in the source. */
export function sourceName(name: string): string {
  return name.replace(GCC_SUFFIX, '');
}

/**
 * The functions of a walk from the one that asked for it to the test function, innermost first.
 * What called the test function is the runner's, and is the same for all cases; a walk that never
 * comes to a test function is compared as a whole.
 */
export function relevantFunctions(entries: readonly TraceEntry[]): string[] {
  const names: string[] = [];
  for (const { name } of entries) {
    const plain = sourceName(name);
    if (!PLUMBING.has(plain)) names.push(plain);
    if (plain.startsWith('test_')) break;
  }
  return names;
}
