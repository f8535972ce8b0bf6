/** One target's share of a sweep: the units that its points were cut into, and their answers. */
import type { LabTarget } from '../lab/target.js';
import type { FunctionCoverage } from './function-coverage.js';
import { compareRanges } from './range.js';
import type { ProblemReport, UnitRequest, UnitResult } from './unit.js';

/** The answer to a unit, or to a part of one that an executor split. */
interface Answer {
  readonly range: UnitRequest['range'];
  readonly result: UnitResult;
}

/** The units of one target. */
export class TargetJob {
  /** Instructions that the scenario executes without exceptions; 0 until {@link takeMeasure}. */
  instructions = 0;
  readonly requests: UnitRequest[] = [];
  readonly problems: ProblemReport[] = [];
  /** How much of the function under test the run without exceptions executed. */
  coverage: FunctionCoverage | undefined;
  /** A point was not judged. */
  incomplete = false;
  private readonly answers = new Map<number, Answer[]>();

  constructor(readonly target: LabTarget) {}

  /**
   * Whether each unit was executed as a whole. A unit that was split after a worker's death was
   * not.
   */
  get isAnswered(): boolean {
    return this.requests.every(
      ({ id, range }) => this.answers.get(id)?.some((one) => one.range === range) === true,
    );
  }

  /** Keep an answer. @param request a unit of this job, or a part of one */
  keep({ id, range }: UnitRequest, result: UnitResult): void {
    const known = this.answers.get(id);
    if (known === undefined) this.answers.set(id, [{ range, result }]);
    else known.push({ range, result });
  }

  /**
   * Results in the order of the units. The parts of a unit that was split are answered in any
   * order, so they are sorted by what they cover.
   */
  results(): UnitResult[] {
    return this.requests.flatMap(({ id }) => {
      const answers = this.answers.get(id) ?? [];
      return answers.sort((a, b) => compareRanges(a.range, b.range)).map(({ result }) => result);
    });
  }

  /**
   * Take the first answer, to a run without exceptions, as the measure of the scenario: how long it
   * is, and whether it returns what it should. Forgets the unit that asked for it.
   */
  takeMeasure(): void {
    const [measured] = this.results();
    this.answers.clear();
    this.requests.length = 0;
    if (measured === undefined) return;
    this.instructions = measured.instructions;
    this.problems.push(...measured.problems);
    this.coverage = measured.coverage;
    const expected = this.target.scenario.result;
    if (measured.finished && expected !== undefined && measured.result !== expected) {
      const detail = `returned ${measured.result ?? 'nothing'} instead of ${expected}`;
      this.problems.push({ kind: 'wrong-result', point: undefined, at: '', detail });
    }
  }
}
