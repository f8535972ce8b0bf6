/**
 * The verdicts on a walk that is compared with the truth. docs/design.md, "Verdicts", says what
 * each means.
 */

/** The verdict on one walk. */
export type Verdict =
  'exact' | 'unreliable' | 'missing' | 'spurious' | 'misordered' | 'warned' | 'fault';

/** Verdicts in the order of their codes. */
export const VERDICTS: readonly Verdict[] = [
  'exact',
  'unreliable',
  'missing',
  'spurious',
  'misordered',
  'warned',
  'fault',
];

/** Codes of the verdicts, for typed arrays. */
export const VerdictCode = {
  EXACT: 0,
  UNRELIABLE: 1,
  MISSING: 2,
  SPURIOUS: 3,
  MISORDERED: 4,
  WARNED: 5,
  FAULT: 6,
} as const;

/** Number of verdicts. */
export const VERDICT_COUNT = 7;
