/** Executes one unit of work in this process and returns its outcome as plain data. */
import { prepareDebugSections } from '../elf/debug-compression.js';
import { Disassembler, formatWord } from '../aarch64/disassembler.js';
import { POLICIES } from '../unwinder/policies/all.js';
import type { Lab } from '../lab/lab.js';
import { Experiment } from '../lab/experiment.js';
import { describeSetupError } from '../lab/scenario-setup.js';
import { ScenarioSweep, type SweepEnd } from './scenario-sweep.js';
import type { LabParts } from '../lab/lab-parts.js';
import { CoverageRecorder } from './function-coverage.js';
import { isMeasuring } from './range.js';
import {
  failedUnit,
  type ProblemReport,
  type UnitRequest,
  type UnitResult,
  type WalkExample,
} from './unit.js';
import { UnitCollector } from './unit-collector.js';
import { exampleText, type RawExample } from './walk-example.js';

/** Problems after which a unit is given up. */
const MAX_PROBLEMS = 16;

/** Runs units on one lab. */
export class UnitRunner {
  private disassembler: Disassembler | undefined;
  /** Path of the vmlinux whose debug sections are already prepared. */
  private prepared: string | undefined;

  constructor(private readonly lab: Lab) {}

  async run(request: UnitRequest): Promise<UnitResult> {
    const { elf, scenario, vmlinux } = request.target;
    if (vmlinux !== undefined && vmlinux.path !== this.prepared) {
      await prepareDebugSections(vmlinux.path);
      this.prepared = vmlinux.path;
    }
    const made = this.lab.machineFor(elf, scenario.kernel, vmlinux);
    if (!made.ok) return setupFailure(request.id, made.error.message);
    const parts = made.value;
    const collected = new UnitCollector(parts, request);
    const measured: { coverage?: CoverageRecorder } = {};
    const end = this.sweep(request, parts, collected, measured);
    if (typeof end === 'string') return setupFailure(request.id, end);
    const { cells, walks, disagreements } = await collected.cells(() => this.describerFor(parts));
    return {
      id: request.id,
      points: collected.tally.points,
      compared: collected.tally.compared,
      instructions: end.instructions,
      finished: end.finished,
      result: end.result,
      cells,
      reasons: collected.reasons(),
      untaken: collected.untaken(),
      coverage: measured.coverage?.report(),
      wrongRows: collected.wrongRows,
      problems: [
        ...collected.savedWrongly.values(),
        ...(await this.named(collected.problems)),
        ...collected.warnings.values(),
      ],
      disagreements,
      walks,
    };
  }

  /**
   * Run the range. After a problem, set up again and continue after the instruction that had it.
   */
  private sweep(
    request: UnitRequest,
    parts: LabParts,
    collected: UnitCollector,
    measured: { coverage?: CoverageRecorder },
  ): SweepEnd | string {
    const { scenario, reportsCoverage } = request.target;
    const policies = request.policies.map((name) => POLICIES[name]);
    const experiment = new Experiment(parts);
    const { tally } = collected;
    const sweep = new ScenarioSweep(experiment, policies, tally, collected, request.unwinder);
    // A unit that hung is stepped, because only stepping keeps to a budget.
    parts.driver.alwaysStepped = request.stepped === true;
    let { from } = request.range;
    for (;;) {
      const entry = experiment.setUp(scenario);
      if (typeof entry !== 'number') return describeSetupError(entry);
      const known = collected.problems.length;
      if (reportsCoverage === true && isMeasuring(request.range)) {
        measured.coverage = new CoverageRecorder(parts.machine, entry, scenario.entry);
      }
      const end = sweep.run(entry, { ...request.range, from }, measured.coverage);
      checkTraced(request, end, collected);
      const last = collected.problems[known];
      if (last === undefined || last.point === undefined) return end;
      if (collected.problems.length >= MAX_PROBLEMS || end.instructions + 1 >= request.range.to) {
        return end;
      }
      from = end.instructions + 1;
    }
  }

  private async describerFor(parts: LabParts): Promise<(raw: RawExample) => WalkExample> {
    const code = await this.code();
    return (raw) => exampleText(parts, raw, code);
  }

  /** Problems, with the instruction words in them disassembled. */
  private async named(problems: readonly ProblemReport[]): Promise<ProblemReport[]> {
    const code = problems.some(({ word }) => word !== undefined) ? await this.code() : undefined;
    return problems.map(({ word, ...problem }) => {
      if (word === undefined || code === undefined) return problem;
      const detail = problem.detail.replace(formatWord(word), code.describeWord(word, 0));
      return { ...problem, detail };
    });
  }

  private async code(): Promise<Disassembler | undefined> {
    if (this.disassembler === undefined) {
      const made = await Disassembler.create();
      if (made.ok) this.disassembler = made.value;
    }
    return this.disassembler;
  }
}

/**
 * A function that was to be traced but was not would pass as promised at every point, so say so.
 */
function checkTraced(
  { target, range }: UnitRequest,
  end: SweepEnd,
  collected: UnitCollector,
): void {
  const { tracing, entry } = target.scenario;
  if (tracing === undefined || !end.finished || end.returnedToTracer === true || range.kinds === 0)
    return;
  const detail = `${entry} returned without reaching its tracer: wrong structure offsets, or state that the kernel refuses`;
  collected.problem({ kind: 'scenario', point: undefined, pc: collected.stoppedAt, detail });
}

function setupFailure(id: number, detail: string): UnitResult {
  return failedUnit(id, { kind: 'setup', point: undefined, at: '', detail });
}
