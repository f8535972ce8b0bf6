/** One target's share of a sweep: the units that its points were cut into, and the answers to them. */
import type { LabTarget } from '../lab/target.js';
import { compareRanges } from './range.js';
import type { ProblemReport, UnitRequest, UnitResult } from './unit.js';

/** The answer to a unit, or to a part of one that an executor cut up. */
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
  /** A point was not judged. */
  incomplete = false;
  private readonly answers = new Map<number, Answer[]>();

  constructor(readonly target: LabTarget) {}

  /** Keep an answer. @param request a unit of this job, or a part of one */
  keep({ id, range }: UnitRequest, result: UnitResult): void {
    const known = this.answers.get(id);
    if (known === undefined) this.answers.set(id, [{ range, result }]);
    else known.push({ range, result });
  }

  /**
   * Results in the order of the units. The parts of a unit that was cut up are answered in any order,
   * so they are sorted by what they cover.
   */
  results(): UnitResult[] {
    return this.requests.flatMap(({ id }) => {
      const answers = this.answers.get(id) ?? [];
      return answers.sort((a, b) => compareRanges(a.range, b.range)).map(({ result }) => result);
    });
  }

  /**
   * Take the first answer, which is to a run without exceptions, as the measure of the scenario: how long
   * it is, and whether it returns what it should. Forgets the unit that asked for it.
   */
  takeMeasure(): void {
    const [measured] = this.results();
    this.answers.clear();
    this.requests.length = 0;
    if (measured === undefined) return;
    this.instructions = measured.instructions;
    this.problems.push(...measured.problems);
    const expected = this.target.scenario.result;
    if (measured.finished && expected !== undefined && measured.result !== expected) {
      const detail = `returned ${measured.result ?? 'nothing'} instead of ${expected}`;
      this.problems.push({ kind: 'wrong-result', point: undefined, at: '', detail });
    }
  }
}
