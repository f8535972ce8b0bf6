/**
 * Compares a run of the suite with a reference log of a real kernel: results, reliable marks, the
 * functions of every walk, and the cases during which the unwinder warned. Offsets belong to one
 * build and are not compared. Parameters are instructions of one build too, so they are compared by
 * their role (see {@link describeRoles}).
 */
import { relevantFunctions } from './relevant-functions.js';
import type { CaseRecord, StepRecord, SuiteLog } from './suite-log.js';

/** One difference from the reference. */
export interface Difference {
  readonly caseName: string;
  /** What is compared: `result`, `walk`, `functions` and so on. */
  readonly what: string;
  readonly reference: string;
  readonly ours: string;
}

/** Everything that differs, in the order of our cases. */
export function compareSuites(ours: SuiteLog, reference: SuiteLog): Difference[] {
  const known = new Map(reference.cases.map((one) => [one.name, one]));
  return ours.cases.flatMap((one) => {
    const counterpart = known.get(one.name);
    if (counterpart === undefined) {
      return [{ caseName: one.name, what: 'case', reference: 'absent', ours: 'present' }];
    }
    return compareCases(one, counterpart);
  });
}

function compareCases(ours: CaseRecord, reference: CaseRecord): Difference[] {
  const found = new Differences(ours.name);
  found.check('result', resultText(reference), resultText(ours));
  found.check('failures', reference.failures.join('; '), ours.failures.join('; '));
  if (reference.subtests.length > 0 || ours.subtests.length > 0) {
    compareRoles(found, describeRoles(ours.subtests), describeRoles(reference.subtests));
  } else {
    found.check('walk', walkText(reference), walkText(ours));
    found.check('functions', functionsText(reference), functionsText(ours));
    found.check('warning', warned(reference), warned(ours));
  }
  return found.list;
}

class Differences {
  readonly list: Difference[] = [];

  constructor(private readonly caseName: string) {}

  check(what: string, reference: string, ours: string): void {
    if (reference === ours) return;
    const none = (text: string): string => (text === '' ? 'none' : text);
    const { caseName } = this;
    this.list.push({ caseName, what, reference: none(reference), ours: none(ours) });
  }
}

function resultText({ ok, skipped }: StepRecord): string {
  return skipped ? 'skipped' : ok ? 'ok' : 'not ok';
}

function walkText({ walk }: StepRecord): string {
  if (walk === undefined) return 'no walk';
  return walk.unreliable === undefined ? 'reliable' : `unreliable ${walk.unreliable}`;
}

function functionsText({ walk }: StepRecord): string {
  return relevantFunctions(walk?.entries ?? []).join(' < ');
}

function warned({ warnings }: StepRecord): string {
  return warnings.length > 0 ? 'WARN' : 'no WARN';
}

/** The parameters of one case by their outcome, whatever their offsets. */
export interface ParameterRoles {
  /** Results other than ok. */
  readonly failed: number;
  /** Probes that were hit and whose walk was reliable. */
  readonly reliable: number;
  /** Probes that were hit and whose walk was not reliable. */
  readonly unreliable: number;
  /** Probes that the kernel refused, as `error x count`, in order. */
  readonly refused: string;
  /** Outcomes of the probes that were hit or refused, in order, as `outcome x count`. */
  readonly order: string;
  /** Outcome at the first instruction. */
  readonly first: string;
  /** Outcome of the first probe that was hit, and of the last. */
  readonly firstHit: string;
  readonly lastHit: string;
  /** Messages of failed expectations. */
  readonly failures: string;
  /** The functions of the reliable walks, in order. Equal neighbours are listed once. */
  readonly walks: readonly string[];
  /** Which of the probes that were hit saw the first WARN, from 1; 0 for none. */
  readonly warnedAt: number;
}

/**
 * Sum up the parameters of a case. Probes that are never hit are left out. They lie in the padding
 * after a function or on a path that is not taken, and their number depends on the compiler and on
 * the function's alignment.
 */
export function describeRoles(subtests: readonly StepRecord[]): ParameterRoles {
  const hit = subtests.filter(({ probe }) => probe?.kind === 'hit');
  const refused = new Map<number, number>();
  for (const { probe } of subtests) {
    if (probe?.kind !== 'refused') continue;
    refused.set(probe.error, (refused.get(probe.error) ?? 0) + 1);
  }
  const reliable = hit.filter(({ walk }) => walk !== undefined && walk.unreliable === undefined);
  return {
    failed: subtests.filter(({ ok, skipped }) => !ok && !skipped).length,
    reliable: reliable.length,
    unreliable: hit.filter(({ walk }) => walk?.unreliable !== undefined).length,
    refused: [...refused].map(([error, count]) => `${error} x ${count}`).join(', '),
    order: inRuns(subtests.filter(({ probe }) => probe?.kind !== 'not-hit').map(outcome))
      .map(([text, count]) => `${text} x ${count}`)
      .join(', '),
    first: outcome(subtests[0]),
    firstHit: outcome(hit[0]),
    lastHit: outcome(hit.at(-1)),
    failures: [...new Set(subtests.flatMap(({ failures }) => failures))].sort().join('; '),
    walks: inRuns(reliable.map(functionsText)).map(([text]) => text),
    warnedAt: 1 + hit.findIndex(({ warnings }) => warnings.length > 0),
  };
}

/** Collapse equal neighbours, and count them. */
function inRuns(texts: readonly string[]): [text: string, count: number][] {
  const runs: [string, number][] = [];
  for (const text of texts) {
    const last = runs[runs.length - 1];
    if (last?.[0] === text) last[1]++;
    else runs.push([text, 1]);
  }
  return runs;
}

function outcome(step: StepRecord | undefined): string {
  if (step?.probe === undefined) return 'no probe';
  return step.probe.kind === 'hit' ? walkText(step) : step.probe.kind;
}

function compareRoles(found: Differences, ours: ParameterRoles, reference: ParameterRoles): void {
  const number = (what: string, key: 'failed' | 'reliable' | 'unreliable'): void => {
    found.check(what, String(reference[key]), String(ours[key]));
  };
  number('failed parameters', 'failed');
  number('probes walked reliably', 'reliable');
  number('probes walked unreliably', 'unreliable');
  found.check('probes refused', reference.refused, ours.refused);
  found.check('probes in order', reference.order, ours.order);
  found.check('first instruction', reference.first, ours.first);
  found.check('first probe hit', reference.firstHit, ours.firstHit);
  found.check('last probe hit', reference.lastHit, ours.lastHit);
  found.check('failures of parameters', reference.failures, ours.failures);
  found.check('functions', reference.walks.join(' | '), ours.walks.join(' | '));
  const warning = (at: number): string => (at === 0 ? 'no WARN' : `WARN at probe ${at}`);
  found.check('warning', warning(reference.warnedAt), warning(ours.warnedAt));
}

/** One line for a {@link Difference}. */
export function differenceText({ caseName, what, reference, ours }: Difference): string {
  return `${caseName}: ${what}: reference ${reference}, here ${ours}`;
}
