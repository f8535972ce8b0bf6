/**
 * The kinds of exception that a point can have, as small integers for typed arrays (docs/design.md,
 * "Words").
 */

/** How a point's exception is taken. */
export type ExceptionKind = 'irq' | 'nmi' | 'sdei' | 'brk' | 'serror';

/** Index of each {@link ExceptionKind}. */
export const Kind = { IRQ: 0, NMI: 1, SDEI: 2, BRK: 3, SERROR: 4 } as const;

/** Names by index. */
export const KIND_NAMES: readonly ExceptionKind[] = ['irq', 'nmi', 'sdei', 'brk', 'serror'];

/** Number of kinds. */
export const KIND_COUNT = 5;

/** All kinds, as a set of bits `1 << index`. */
export const ALL_KINDS = (1 << KIND_COUNT) - 1;

/** The set of bits for some kinds. */
export function kindSet(kinds: readonly ExceptionKind[]): number {
  let set = 0;
  for (const kind of kinds) set |= 1 << KIND_NAMES.indexOf(kind);
  return set;
}

/** The kinds in a set of bits, by rising index. */
export function kindNames(set: number): ExceptionKind[] {
  return KIND_NAMES.filter((_, i) => (set & (1 << i)) !== 0);
}
