/** Sweeps in this process, with a defect planted: what `Sweep` does with workers, in one lab. */
import type { ElfImage } from '../../elf/image.js';
import type { EngineBackend } from '../../emulator/engine.js';
import { ALL_KINDS, kindSet } from '../../kernel-model/exception-kind.js';
import type { TruthDefect } from '../../kernel-model/ground-truth.js';
import type { ExceptionKind } from '../../scenarios/scenario.js';
import { Lab } from '../../lab/lab.js';
import { mergeScenario } from '../../sweep/merge.js';
import { UnitRunner } from '../../sweep/run-unit.js';
import type { ScenarioReport } from '../../sweep/report.js';
import type { ProblemReport, UnitRequest, UnitResult } from '../../sweep/unit.js';
import { cutRanges, measuringRange } from '../../sweep/range.js';
import type { LabTarget } from '../../lab/target.js';
import { POLICIES } from '../../unwinder/policies/all.js';
import type { PolicyName } from '../../unwinder/policy.js';
import type { UnwindDefect } from '../../unwinder/walk-defect.js';

/** What is wrong in a sweep; nothing, in a control run. */
export interface Planted {
  readonly unwinder?: UnwindDefect;
  readonly truth?: TruthDefect;
  readonly image?: (image: ElfImage) => ElfImage;
}

/** A part of the default sweep, large enough to show a defect. */
export interface Slice {
  readonly target: LabTarget;
  readonly kinds?: readonly ExceptionKind[];
  readonly depth?: 1 | 2;
  /**
   * Dynamic instructions `[from, to)` at which exceptions are taken at depth 2, as far as units allow.
   * Requirements are judged only when there is no such limit.
   */
  readonly from?: number;
  readonly to?: number;
  /** Instructions after which the guest has run away. */
  readonly budget?: number;
}

const BUDGET = 100_000;
const POLICY_NAMES = Object.keys(POLICIES) as PolicyName[];

/** The report on a slice. */
export async function sweepSlice(
  backend: EngineBackend,
  planted: Planted,
  slice: Slice,
): Promise<ScenarioReport> {
  const { unwinder, truth } = planted;
  const image = (loaded: ElfImage): ElfImage => planted.image?.(loaded) ?? loaded;
  const lab = Lab.create(backend, unwinder === undefined ? { image } : { image, unwinder });
  if (!lab.ok) throw new Error(lab.error.message);
  try {
    return await runSlice(new UnitRunner(lab.value, truth), slice);
  } finally {
    lab.value.close();
  }
}

async function runSlice(runner: UnitRunner, slice: Slice): Promise<ScenarioReport> {
  const { target } = slice;
  const { scenario } = target;
  const problems: ProblemReport[] = [];
  let id = 0;
  const budget = slice.budget ?? BUDGET;
  const run = (range: UnitRequest['range']): Promise<UnitResult> =>
    runner.run({ id: id++, target, policies: POLICY_NAMES, range: { ...range, budget } });

  const measured = await run(measuringRange(budget));
  problems.push(...measured.problems);
  if (measured.finished && scenario.result !== undefined && measured.result !== scenario.result) {
    const detail = `returned ${measured.result ?? 'nothing'} instead of ${scenario.result}`;
    problems.push({ kind: 'wrong-result', point: undefined, at: '', detail });
  }
  const kinds = kindSet(slice.kinds ?? scenario.kinds ?? []) || ALL_KINDS;
  const depth = slice.depth ?? scenario.depth ?? 1;
  const results: UnitResult[] = [];
  if (problems.length === 0) {
    const { from = 0, to = measured.instructions } = slice;
    for (const range of cutRanges(measured.instructions, depth, kinds, budget)) {
      if (range.outerKinds !== 0 && (range.from >= to || range.to <= from)) continue;
      const end = range.outerKinds === 0 ? range.to : Math.min(range.to, to);
      results.push(await run({ ...range, to: end }));
    }
  }
  const whole = problems.length === 0 && slice.to === undefined;
  return mergeScenario(
    target,
    POLICY_NAMES,
    measured.instructions,
    results,
    problems,
    whole ? { policies: POLICY_NAMES, kinds, depth } : undefined,
    (point) => `--point ${point}`,
  );
}

/** What turned red first in a report, in one line; undefined when it is green. */
export function firstRed(report: ScenarioReport): string | undefined {
  const [finding] = report.findings;
  if (finding !== undefined) {
    const { point, policy, mode, verdict, at } = finding.example;
    return `${point} ${policy} ${mode === 'reliable' ? '' : 'best-effort '}${verdict} at ${at}`;
  }
  const [problem] = report.problems;
  if (problem !== undefined) {
    return `${problem.point ?? '-'} ${problem.kind}: ${problem.detail} ${problem.at}`.trim();
  }
  const [unmet] = report.unmet;
  if (unmet !== undefined) {
    const { policy, required, seen, points } = unmet;
    return `unmet: ${policy} ${required.verdict} at ${seen} of ${points} (${required.reason})`;
  }
  return report.unexpected === 0 ? undefined : `${report.unexpected} unexpected`;
}
