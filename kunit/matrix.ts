/** Cases by policies, as text for a table. */
import type { CaseRecord, StepRecord, SuiteLog } from './suite-log.js';

/** One cell of the matrix. */
export interface MatrixCell {
  readonly ok: boolean;
  /** `ok`, `reliable`, `unreliable`, `misses caller_1`, or numbers of parameters. */
  readonly text: string;
}

/** One row: a case and its cell for each policy. */
export interface MatrixRow {
  readonly caseName: string;
  /** In the order of the runs; undefined where a run has no such case. */
  readonly cells: readonly (MatrixCell | undefined)[];
}

/** The matrix of some runs. */
export function buildMatrix(runs: readonly SuiteLog[]): MatrixRow[] {
  const names = [...new Set(runs.flatMap(({ cases }) => cases.map(({ name }) => name)))];
  return names.map((caseName) => ({
    caseName,
    cells: runs.map(({ cases }) => {
      const one = cases.find(({ name }) => name === caseName);
      return one === undefined ? undefined : { ok: one.ok, text: cellText(one) };
    }),
  }));
}

function cellText(one: CaseRecord): string {
  const warned = [one, ...one.subtests].some(({ warnings }) => warnings.length > 0);
  const text = one.subtests.length > 0 ? parameterText(one.subtests) : stepText(one);
  return warned ? `${text}, WARN` : text;
}

function stepText({ ok, skipped, walk, failures }: StepRecord): string {
  if (skipped) return 'skipped';
  if (!ok) return (failures[0] ?? 'failed').replace(/^Stacktrace /, '');
  if (walk === undefined) return 'ok';
  return walk.unreliable === undefined ? 'reliable' : 'unreliable';
}

function parameterText(subtests: readonly StepRecord[]): string {
  const count = (test: (step: StepRecord) => boolean): number => subtests.filter(test).length;
  const parts: [number, string][] = [
    [count(({ ok, skipped }) => !ok && !skipped), 'failed'],
    [
      count(({ ok, walk }) => ok && walk !== undefined && walk.unreliable === undefined),
      'reliable',
    ],
    [count(({ ok, walk }) => ok && walk?.unreliable !== undefined), 'unreliable'],
    [count(({ probe }) => probe?.kind === 'refused'), 'refused'],
  ];
  return parts
    .filter(([number]) => number > 0)
    .map(([number, what]) => `${number} ${what}`)
    .join(', ');
}
