/** Which functions of a printed walk are compared between two builds of the kernel, and under what names. */
import type { TraceEntry } from './suite-log.js';

/** What gcc appends to the name of a function that it cloned or split. */
const GCC_SUFFIX = /\.(?:constprop|part|isra|cold|localalias|lto_priv)(?:\.\d+)*/g;

/**
 * Functions that are one and the same under two names. The kernel's function_graph_enter is an
 * inline function around function_graph_enter_regs; the guest has only the former.
 */
const SAME_FUNCTION: ReadonlyMap<string, string> = new Map([
  ['function_graph_enter_regs', 'function_graph_enter'],
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
    names.push(SAME_FUNCTION.get(plain) ?? plain);
    if (plain.startsWith('test_')) break;
  }
  return names;
}
