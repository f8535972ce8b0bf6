/** Sweeps parts of the default sweep, with the code and the files of a copy of the package. */
import { relative } from 'node:path';
import { PACKAGE_ROOT } from '../../base/package-path.js';
import { ALL_KINDS, kindSet } from '../../kernel-model/exception-kind.js';
import type * as LabModule from '../../lab/lab.js';
import type { LabTarget } from '../../lab/target.js';
import type { ExceptionKind, Scenario } from '../../scenarios/scenario.js';
import type * as InProcessModule from '../../sweep/in-process.js';
import type { ScenarioReport } from '../../sweep/report.js';
import type * as RunUnitModule from '../../sweep/run-unit.js';
import type * as SweepModule from '../../sweep/sweep.js';
import { failedUnit, type UnitRequest } from '../../sweep/unit.js';
import { selectTargets } from '../../targets/catalogue.js';
import { POLICIES } from '../../unwinder/policies/all.js';
import type { PolicyName } from '../../unwinder/policy.js';
import { backend, must } from '../cpu-fixture.js';
import type { PackageCopy } from './package-copy.js';

/** A part of the default sweep, large enough to show a defect. */
export interface Slice {
  /** Of the catalogue. */
  readonly scenario: string;
  readonly depth: 1 | 2;
  /** Default: the scenario's. */
  readonly kinds?: readonly ExceptionKind[];
  /**
   * Dynamic instructions `[from, to)` at which exceptions are taken. Requirements are judged only when
   * there is no such limit.
   */
  readonly part?: { readonly from: number; readonly to: number };
}

const POLICY_NAMES = Object.keys(POLICIES) as PolicyName[];

/** Instructions after which a guest counts as runaway. */
const BUDGET = 100_000;
/** The same at depth 2: enough for a handler, its handler, and the longest scenario that is swept so. */
const NESTED_BUDGET = 2000;

/** The report of the copy's own sweep on a slice. Only the binding of the engine is not the copy's. */
export async function sweepSlice(copy: PackageCopy, slice: Slice): Promise<ScenarioReport> {
  const { Lab } = await copy.import<typeof LabModule>('lab/lab.ts');
  const { UnitRunner } = await copy.import<typeof RunUnitModule>('sweep/run-unit.ts');
  const { InProcessExecutor } = await copy.import<typeof InProcessModule>('sweep/in-process.ts');
  const { Sweep } = await copy.import<typeof SweepModule>('sweep/sweep.ts');
  const lab = must(Lab.create(backend()));
  try {
    const runner = new UnitRunner(lab);
    const { part, kinds } = slice;
    const sweep = new Sweep(
      {
        targets: [targetIn(copy, slice)],
        policies: POLICY_NAMES,
        kinds: kinds === undefined ? ALL_KINDS : kindSet(kinds),
        depth: slice.depth,
        budget: slice.depth === 2 ? NESTED_BUDGET : BUDGET,
        replay: (_, point) => `--point ${point}`,
      },
      new InProcessExecutor(part === undefined ? runner : partRunner(runner, part)),
    );
    const outcome = await sweep.run();
    if (!('report' in outcome)) throw new Error(outcome.message);
    const [report] = outcome.report.scenarios;
    if (report === undefined) throw new Error('nothing was swept');
    return report;
  } finally {
    lab.close();
  }
}

/** The slice's scenario, with its code from the copy. */
function targetIn(copy: PackageCopy, { scenario: name, part }: Slice): LabTarget {
  const found = selectTargets([name]);
  if ('unknown' in found || found[0] === undefined) throw new Error(`no scenario ${name}`);
  const { scenario, elf } = found[0];
  const swept = part === undefined ? scenario : withoutRequirements(scenario);
  if (elf === undefined) return { scenario: swept };
  return { scenario: swept, elf: copy.path(relative(PACKAGE_ROOT, elf)) };
}

/** The scenario without the promises that are about the whole of it. */
function withoutRequirements({ promises = {}, ...rest }: Scenario): Scenario {
  const allowed = Object.entries(promises).map(([policy, promise]) => [
    policy,
    { ...promise, require: [] },
  ]);
  return { ...rest, promises: Object.fromEntries(allowed) as typeof promises };
}

type Runner = Pick<RunUnitModule.UnitRunner, 'run'>;

/** Executes only a part of the instructions that it is asked for, and all of a measuring run. */
function partRunner(runner: Runner, { from, to }: NonNullable<Slice['part']>): Runner {
  return {
    run: (request: UnitRequest) => {
      const { range } = request;
      if (range.kinds === 0 && range.outerKinds === 0) return runner.run(request);
      const part = { ...range, from: Math.max(range.from, from), to: Math.min(range.to, to) };
      if (part.from < part.to) return runner.run({ ...request, range: part });
      const nothing = failedUnit(request.id, {
        kind: 'setup',
        point: undefined,
        at: '',
        detail: '',
      });
      return Promise.resolve({ ...nothing, problems: [] });
    },
  };
}

/** What is red in a report, each in one line, the first one first; empty when it is green. */
export function redsOf(report: ScenarioReport): string[] {
  const findings = report.findings.map(({ example }) => {
    const { point, policy, mode, verdict, at } = example;
    return `${point} ${policy} ${mode === 'reliable' ? '' : 'best-effort '}${verdict} at ${at}`;
  });
  const problems = report.problems.map(({ kind, point = '-', detail, at }) =>
    `${point} ${kind}: ${detail} ${at}`.trim(),
  );
  const unmet = report.unmet.map(
    ({ policy, required, seen, points }) =>
      `unmet: ${policy} ${required.verdict} at ${seen} of ${points} (${required.reason})`,
  );
  const reds = [...findings, ...problems, ...unmet];
  if (reds.length === 0 && report.unexpected > 0) reds.push(`${report.unexpected} unexpected`);
  return reds;
}
