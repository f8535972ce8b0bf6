/** Walks judged on a timeline against the same points of a sweep, and searches for bad ones. */
import { describe, expect, it } from 'vitest';
import { Evaluator, UNSAFE_VERDICTS } from '../../debug/evaluate.js';
import { goToPoint } from '../../debug/point-stop.js';
import { ALL_KINDS, KIND_COUNT } from '../../kernel-model/exception-kind.js';
import { Lab } from '../../lab/lab.js';
import { formatPoint, type Point } from '../../lab/point.js';
import { UnitRunner } from '../../sweep/run-unit.js';
import { pointRange } from '../../sweep/range.js';
import { measuringRange } from '../../sweep/range.js';
import { VERDICTS } from '../../scenarios/verdict.js';
import { POLICIES } from '../../unwinder/policies/all.js';
import type { PolicyName } from '../../unwinder/policy.js';
import { backend, must } from '../cpu-fixture.js';
import { EXHAUSTIVE } from '../exhaustive.js';
import { newSeed, randomIntegers } from '../random.js';
import { targetNamed, timeline, timelineOf } from './timeline-fixture.js';

const seed = newSeed();
const random = randomIntegers(seed);
const NAMES = Object.keys(POLICIES) as PolicyName[];

/** Points of each depth that are judged. */
const POINTS = EXHAUSTIVE ? 12 : 4;

/** Verdicts of a sweep that covers some points, by point, mode and policy. */
async function sweptVerdicts(name: string, points: readonly Point[]): Promise<Map<string, string>> {
  const lab = must(Lab.create(backend()));
  const runner = new UnitRunner(lab);
  const verdicts = new Map<string, string>();
  for (const [id, point] of points.entries()) {
    const range = pointRange(point, 200_000);
    const target = targetNamed(name);
    const { walks } = await runner.run({ id, target, policies: NAMES, range, verbose: true });
    for (const walk of walks) {
      verdicts.set(`${walk.point} ${walk.mode} ${walk.policy}`, walk.verdict);
    }
  }
  lab.close();
  return verdicts;
}

async function instructions(name: string): Promise<number> {
  const lab = must(Lab.create(backend()));
  const range = measuringRange(200_000);
  const target = targetNamed(name);
  const result = await new UnitRunner(lab).run({ id: 0, target, policies: NAMES, range });
  lab.close();
  return result.instructions;
}

describe(`a walk judged on a timeline (KUNWIND_SEED=${seed})`, () => {
  it.each([
    'calls/pac',
    'fgraph/leaf',
    'kretprobe/brk-leaf',
    'tasks/switch',
    'review/tracked-sp-static',
  ])('is what a sweep judges in %s', async (name) => {
    const target = targetNamed(name);
    const count = await instructions(name);
    const points: Point[] = [];
    for (let i = 0; i < POINTS; i++) {
      points.push({ index: random(count), kind: random(KIND_COUNT) });
      const inner = { index: random(200), kind: random(KIND_COUNT) };
      points.push({ index: random(count), kind: random(KIND_COUNT), inner });
    }
    const swept = await sweptVerdicts(name, points);
    let compared = 0;
    for (const point of points) {
      const line = timelineOf(target);
      if (goToPoint(line, point) !== undefined) continue;
      const evaluator = new Evaluator(line);
      const kind = point.inner?.kind ?? point.kind;
      const before = line.fingerprint();
      for (const policy of NAMES) {
        for (const mode of ['reliable', 'best-effort'] as const) {
          const wanted = swept.get(`${formatPoint(point)} ${mode} ${policy}`);
          const made = evaluator.evaluate(kind, POLICIES[policy], mode);
          const verdict = made.ok ? VERDICTS[made.value.verdict] : undefined;
          expect(verdict, `${formatPoint(point)} ${policy} ${mode}`).toBe(wanted);
          if (verdict !== undefined) compared++;
        }
      }
      expect(line.fingerprint(), 'the state after judging').toBe(before);
    }
    expect(compared).toBeGreaterThan(0);
  });
});

describe('the next and the last bad verdict', () => {
  it('are found where judging each position finds them', () => {
    const line = timeline('fgraph/leaf', { interval: 64 });
    const evaluator = new Evaluator(line);
    const policy = POLICIES['sframe-strict'];
    const bad: number[] = [];
    const states: string[] = [];
    do {
      const made = evaluator.evaluate(0, policy);
      if (made.ok && UNSAFE_VERDICTS.includes(made.value.verdict)) bad.push(line.position);
      states.push(line.fingerprint());
    } while (line.step().reason === 'moved');
    expect(bad.length).toBeGreaterThan(2);

    line.goTo(0);
    const here = evaluator.verdictTest(0, policy);
    const forward: number[] = [];
    while (line.run({ here }).reason === 'hit') {
      forward.push(line.position);
      expect(line.fingerprint()).toBe(states[line.position]);
    }
    expect(forward).toEqual(bad);
    const backward: number[] = [];
    while (line.runBack({ here }).reason === 'hit') {
      backward.push(line.position);
      expect(line.fingerprint()).toBe(states[line.position]);
    }
    expect(backward.reverse()).toEqual(bad);
    expect(line.position).toBe(0);
  });

  it('ask no more kinds than are possible', () => {
    const line = timeline('calls/pac');
    expect(line.possibleKinds() & ~ALL_KINDS).toBe(0);
    while (!line.isAtEnd) line.step();
    expect(line.possibleKinds()).toBe(0);
    expect(line.interrupt(0).reason).toBe('problem');
  });
});
