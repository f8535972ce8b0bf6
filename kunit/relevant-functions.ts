/**
 * Which functions of a printed walk are compared between two builds of the kernel, and under what
 * names.
 */
import type { TraceEntry } from './suite-log.js';

/** Suffixes that gcc appends to the name of a function that it cloned or split. */
const GCC_SUFFIX = /\.(?:constprop|part|isra|cold|localalias|lto_priv)(?:\.\d+)*/g;

/**
 * Functions that count as one under two names. The kernel's function_graph_enter is an inline
 * wrapper around function_graph_enter_regs; the guest has only the former.
 */
const SAME_FUNCTION: ReadonlyMap<string, string> = new Map([
  ['function_graph_enter_regs', 'function_graph_enter'],
]);

/** A function's name in the source. */
export function sourceName(name: string): string {
  return name.replace(GCC_SUFFIX, '');
}

/**
 * The functions of a walk, innermost first, from the one that asked for it to the test function.
 * The callers of the test function belong to the runner and are the same for all cases. A walk that
 * never reaches a test function is compared as a whole.
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
