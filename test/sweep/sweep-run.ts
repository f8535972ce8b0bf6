/** Sweeps a scenario in this process and keeps what it reported. */
import { hexAddress } from '../../base/address.js';
import { ALL_KINDS, KIND_NAMES } from '../../kernel-model/exception-kind.js';
import type { Scenario } from '../../scenarios/scenario.js';
import { formatPoint, type Point } from '../../lab/point.js';
import { ScenarioSweep, type SweepEnd, type SweepRange } from '../../sweep/scenario-sweep.js';
import type { PointContext } from '../../sweep/sweep-observer.js';
import { Experiment } from '../../lab/experiment.js';
import { describeSetupError } from '../../lab/scenario-setup.js';
import type { LabParts } from '../../lab/lab-parts.js';
import { explainSaved, type Problem } from '../../lab/problem.js';
import { type CellKey, MODES, Tally } from '../../sweep/tally.js';
import { VERDICTS } from '../../scenarios/verdict.js';
import { POLICIES } from '../../unwinder/policies/all.js';

export const POLICY_LIST = Object.values(POLICIES);

export interface RunOptions extends Partial<SweepRange> {
  readonly walked?: (point: Point, context: PointContext) => void;
  /** Called between set-up and run. */
  readonly before?: (parts: LabParts) => void;
  readonly giveUp?: boolean;
}

export interface SweepRun {
  readonly end: SweepEnd;
  readonly tally: Tally;
  readonly problems: readonly Problem[];
  /** What was saved otherwise than the CPU had it, at each point. */
  readonly saved: readonly { readonly point: string; readonly detail: string }[];
  readonly examples: readonly { readonly cell: number; readonly point: Point }[];
}

export function runSweep(parts: LabParts, which: Scenario, options: RunOptions = {}): SweepRun {
  const experiment = new Experiment(parts);
  const entry = experiment.setUp(which);
  if (typeof entry !== 'number') throw new Error(describeSetupError(entry));
  options.before?.(parts);
  const tally = new Tally(POLICY_LIST.length);
  const problems: Problem[] = [];
  const saved: { point: string; detail: string }[] = [];
  const examples: { cell: number; point: Point }[] = [];
  const sweep = new ScenarioSweep(experiment, POLICY_LIST, tally, {
    example: (cell, point) => examples.push({ cell, point }),
    wrongRow: () => undefined,
    savedWrong: (check, field, point) => {
      const { detail } = explainSaved(check, field);
      saved.push({ point: point === undefined ? '-' : formatPoint(point), detail });
    },
    problem: (problem) => {
      problems.push(problem);
      return options.giveUp !== true;
    },
    walked: options.walked,
  });
  const end = sweep.run(entry, {
    from: 0,
    to: Infinity,
    kinds: ALL_KINDS,
    outerKinds: 0,
    innerKinds: ALL_KINDS,
    innerFrom: 0,
    innerTo: Infinity,
    budget: 20_000,
    ...options,
  });
  return { end, tally, problems, saved, examples };
}

/** `fn kind depth policy mode verdict: count` for the cells that a filter names, sorted. */
export function cells(parts: LabParts, { tally }: SweepRun, like: Partial<Named> = {}): string[] {
  const lines: string[] = [];
  for (const { key, count } of tally.entries()) {
    const named = nameCell(parts, key);
    const asked = Object.entries(like) as [keyof Named, string][];
    if (asked.every(([field, value]) => named[field] === value)) {
      lines.push(`${Object.values(named).join(' ')}: ${count}`);
    }
  }
  return lines.sort();
}

/** Sum of those cells. */
export function total(parts: LabParts, run: SweepRun, like: Partial<Named>): number {
  return cells(parts, run, like).reduce((sum, line) => sum + Number(line.split(': ')[1]), 0);
}

export interface Named {
  readonly fn: string;
  readonly kind: string;
  readonly depth: string;
  readonly policy: string;
  readonly mode: string;
  readonly verdict: string;
}

function nameCell({ functions }: LabParts, key: CellKey): Named {
  return {
    fn: functions.names[key.fn] ?? '?',
    kind: KIND_NAMES[key.kind] ?? '?',
    depth: String(key.depth),
    policy: POLICY_LIST[key.policy]?.name ?? '?',
    mode: MODES[key.mode] ?? '?',
    verdict: VERDICTS[key.verdict] ?? '?',
  };
}

/** Problems as text, for messages of failed tests. */
export function problemText({ problems }: SweepRun): string[] {
  return problems.map(({ kind, point, pc, detail }) => {
    const at = point === undefined ? '-' : formatPoint(point);
    return `${kind} ${at} ${hexAddress(pc)} ${detail}`;
  });
}
