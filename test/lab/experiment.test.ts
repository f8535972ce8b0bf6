/** One stop: taken, asked, judged and left, in the words that all who stop there share. */
import { afterEach, describe, expect, it } from 'vitest';
import { DriverStatus } from '../../kernel-model/exception-driver.js';
import { Kind, KIND_NAMES } from '../../kernel-model/exception-kind.js';
import { EINVAL, Experiment, UNKNOWN_TASK } from '../../lab/experiment.js';
import { Reg } from '../../emulator/registers.js';
import type { Machine } from '../../kernel-model/machine.js';
import { VERDICTS } from '../../scenarios/verdict.js';
import { KUNIT_CASES, kunitScenario } from '../../scenarios/kunit/kunit.js';
import { POLICIES } from '../../unwinder/policies/all.js';
import { WalkResult } from '../../unwinder/walk-result.js';
import { type FamilyName, SCENARIOS, sweepParts } from '../machine-fixture.js';

let experiment: Experiment;
const machines: Machine[] = [];

/** At the first instruction of a scenario's entry function. */
function stopAt(family: FamilyName, which = SCENARIOS.trivial, stackShift = 0): void {
  experiment = new Experiment(sweepParts(family));
  machines.push(experiment.parts.machine);
  const entry = experiment.setUp(which, stackShift);
  if (typeof entry !== 'number') throw new Error('no set-up');
  stepUntil(() => experiment.parts.machine.stepper.pc === entry);
}

function stepUntil(reached: () => boolean): void {
  for (let i = 0; !reached(); i++) {
    if (i > 10_000 || !experiment.cpu.step()) throw new Error(experiment.explainStep().detail);
  }
}

afterEach(() => {
  for (const machine of machines.splice(0)) machine.close();
});

const truthNames = (): string[] =>
  [...experiment.truth.addresses.subarray(0, experiment.truth.count)].map(
    (address) => experiment.parts.machine.symbols.at(address)?.symbol.name ?? '?',
  );

describe('a stop', () => {
  it.each([
    ['irq', 'exact'],
    ['nmi', 'exact'],
    ['sdei', 'missing'],
    ['brk', 'exact'],
    ['serror', 'exact'],
  ])('is interrupted by %s, asked, judged and left', (name, verdict) => {
    stopAt('entry');
    const kind = KIND_NAMES.findIndex((known) => known === name);
    const { machine, model } = experiment.parts;
    const before = machine.stepper.registers.words.slice();
    expect(experiment.possibleKinds() & (1 << kind)).toBe(1 << kind);
    experiment.interrupt();
    // Twice: the first time a path is learned step by step, then it is run freely.
    for (let time = 0; time < 2; time++) {
      expect(experiment.enter(kind)).toBe(DriverStatus.DONE);
      expect(experiment.task).toBe(machine.kernel.roles.initTask);
      expect(truthNames()).toContain('entry_trivial');
      expect(truthNames().slice(-3)).toEqual(['kunwind_thread', 'kthread', 'ret_from_fork']);
      const walk = new WalkResult();
      const code = experiment.ask(model, POLICIES['sframe-strict'], 'reliable', walk);
      expect(VERDICTS[code]).toBe(verdict);
      expect(experiment.judge('reliable', walk)).toBe(code);
      expect(experiment.leave()).toBe(DriverStatus.DONE);
    }
    expect(machine.stepper.registers.words).toEqual(before);
  });

  it('has no kinds before the task that handlers walk has run', () => {
    stopAt('tasks', { ...SCENARIOS.tasks, walkTask: 'kw_task_a' });
    expect(experiment.possibleKinds()).toBe(0);
    const task = experiment.parts.machine.kernel.symbol('kw_task_a') ?? NaN;
    stepUntil(() => experiment.groundTruth.hasRun(task));
    stepUntil(() => experiment.possibleKinds() !== 0);
    experiment.interrupt();
    expect(experiment.enter(Kind.NMI)).toBe(DriverStatus.DONE);
    expect(experiment.task).toBe(task);
  });

  it('says what its handler asks for when that cannot be walked', () => {
    stopAt('entry');
    const { memory, kernel } = experiment.parts.machine;
    memory.writeAddress(kernel.roles.walkTask, kernel.roles.initTask + 8);
    experiment.interrupt();
    const status = experiment.enter(Kind.IRQ);
    expect(status).toBe(UNKNOWN_TASK);
    expect(experiment.explain(status)).toEqual({
      kind: 'no-request',
      detail: 'the handler asks for the walk of an unknown task',
    });
  });

  it('is forgotten with the next set-up', () => {
    stopAt('entry');
    experiment.interrupt();
    expect(experiment.enter(Kind.SDEI)).toBe(DriverStatus.DONE);
    const depth = experiment.groundTruth.current.depth;
    experiment.cpu.take(Kind.IRQ);
    expect(experiment.cpu.depth).toBe(1);
    const entry = experiment.setUp(SCENARIOS.trivial);
    expect(experiment.cpu.depth).toBe(0);
    stepUntil(() => experiment.parts.machine.stepper.pc === entry);
    expect(experiment.groundTruth.current.depth).toBe(depth);
  });
});

it("a scenario's stack begins lower by what is asked", () => {
  const [usual, lower] = [0, 32].map((shift) => {
    stopAt('entry', SCENARIOS.trivial, shift);
    return experiment.parts.machine.stepper.registers.get(Reg.SP);
  });
  expect(Number(usual) - Number(lower)).toBe(32);
});

describe("a scenario's own walk request", () => {
  const test = KUNIT_CASES.find(({ name }) => name === 'test_unwind_reliable');
  if (test === undefined) throw new Error('no such case');
  const asking = kunitScenario(test);

  it('is walked, judged and answered', () => {
    stopAt('kunit', asking);
    stepUntil(() => experiment.isAtRequest);
    expect(experiment.enterRequest()).toBe(true);
    const walk = new WalkResult();
    const code = experiment.ask(
      experiment.parts.model,
      POLICIES['sframe-strict'],
      'reliable',
      walk,
    );
    expect(VERDICTS[code]).toBe('exact');
    expect(truthNames()).toContain('caller_1');
    expect(experiment.answerRequest(walk)).toBe(0);
    const { kernel, memory } = experiment.parts.machine;
    expect(memory.readWord(kernel.symbol('walk_result') ?? NaN)).toBe(0);
    walk.status = 1;
    expect(experiment.answerRequest(walk)).toBe(-EINVAL);
    expect((memory.readWord(kernel.symbol('walk_result') ?? NaN) ?? 0) | 0).toBe(-EINVAL);
  });
});
