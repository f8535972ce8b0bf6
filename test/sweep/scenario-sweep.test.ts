/** Sweeps of the guest's own scenarios: bookkeeping, and verdicts that docs/kernel-facts.md predicts. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Kind, KIND_NAMES } from '../../kernel-model/exception-kind.js';
import type { LabParts } from '../../lab/lab-parts.js';
import { type FamilyName, SCENARIOS, sweepParts } from '../machine-fixture.js';
import { cells, POLICY_LIST, problemText, runSweep, total } from './sweep-run.js';

const made = new Map<FamilyName, LabParts>();
function parts(family: FamilyName): LabParts {
  const known = made.get(family) ?? sweepParts(family);
  made.set(family, known);
  return known;
}
afterAll(() => {
  for (const { machine } of made.values()) machine.close();
});

const BOUNDARY_KINDS = ['irq', 'nmi', 'brk', 'serror'] as const;

describe.each([
  ['entry', SCENARIOS.trivial, 6],
  ['entry', SCENARIOS.irqsOff, 6],
  ['sdei', SCENARIOS.prologue, 17],
  ['fgraph', SCENARIOS.fgraphLeaf, 31],
  ['fgraph', SCENARIOS.fgraphTail, 66],
  ['tasks', SCENARIOS.tasks, 21],
  ['calls', SCENARIOS.pac, 107],
] as const)('a sweep of %s', (family, scenario, result) => {
  it(`takes every point and comes to the scenario's result (${scenario.entry})`, () => {
    const with_ = parts(family);
    const run = runSweep(with_, scenario);
    expect(problemText(run)).toEqual([]);
    expect(run.end.finished).toBe(true);
    expect(run.end.result).toBe(result);
    expect(run.tally.points).toBeGreaterThan(0);
    // Each point is judged once per policy and mode.
    for (const { name: policy } of POLICY_LIST) {
      for (const mode of ['reliable', 'best-effort']) {
        expect(total(with_, run, { policy, mode }), `${policy} ${mode}`).toBe(run.tally.points);
      }
    }
    // What is unreliable has a reason, and only that.
    for (const [p, { name: policy }] of POLICY_LIST.entries()) {
      const unreliable = total(with_, run, { policy, mode: 'reliable', verdict: 'unreliable' });
      let reasons = 0;
      for (let reason = 0; reason < 32; reason++) reasons += run.tally.reasonCount(p, reason);
      expect(reasons, policy).toBe(unreliable);
    }
    // Mainline gives up at each boundary that it can see (docs/kernel-facts.md, "Policies").
    for (const kind of BOUNDARY_KINDS) {
      const at = { policy: 'frame-pointer', mode: 'reliable', kind };
      expect(total(with_, run, { ...at, verdict: 'unreliable' })).toBe(total(with_, run, at));
    }
    // An example for every cell but the ordinary ones, the first time only.
    const seen = run.examples.map(({ cell }) => cell);
    expect(new Set(seen).size).toBe(seen.length);
    expect(total(with_, run, { mode: 'reliable', verdict: 'fault' })).toBe(0);
  });
});

describe('verdicts', () => {
  it('of a leaf with CFI are exact with SFrame, but for SDEI, which hides the caller', () => {
    const with_ = parts('entry');
    const run = runSweep(with_, SCENARIOS.trivial);
    const at = { fn: 'entry_trivial', policy: 'sframe-strict', mode: 'reliable' };
    const instructions = run.end.instructions;
    expect(instructions).toBeGreaterThan(1);
    const expected = [...BOUNDARY_KINDS.map((kind) => `${kind} exact`), 'sdei missing'];
    const lines = expected.map((line) => {
      const [kind, verdict] = line.split(' ');
      return `entry_trivial ${kind} 1 sframe-strict reliable ${verdict}: ${instructions}`;
    });
    expect(cells(with_, run, at)).toEqual(lines.sort());
  });

  it('are only those of pseudo-NMIs while the priority mask is raised', () => {
    const with_ = parts('entry');
    const run = runSweep(with_, SCENARIOS.irqsOff);
    const at = { policy: 'sframe-strict', mode: 'reliable' };
    const irqs = total(with_, run, { ...at, kind: 'irq' });
    const nmis = total(with_, run, { ...at, kind: 'nmi' });
    expect(nmis).toBe(run.end.instructions);
    // Between the two stores to gic_pmr: the add and the second store.
    expect(nmis - irqs).toBe(2);
  });

  it('show the fgraph issue: a callee of return_to_handler loses the traced function’s caller', () => {
    const with_ = parts('fgraph');
    const run = runSweep(with_, SCENARIOS.fgraphLeaf);
    const missing = (policy: string) =>
      BOUNDARY_KINDS.map((kind) =>
        total(with_, run, {
          fn: 'ftrace_return_to_handler',
          policy,
          mode: 'reliable',
          kind,
          verdict: 'missing',
        }),
      );
    for (const count of missing('sframe-strict')) expect(count).toBeGreaterThan(10);
    expect(missing('fgraph-detect')).toEqual([0, 0, 0, 0]);
    expect(missing('frame-pointer')).toEqual([0, 0, 0, 0]);
  });

  it('never differ in a scenario that calls nothing wrong, signed or not', () => {
    const with_ = parts('calls');
    const run = runSweep(with_, SCENARIOS.pac, { kinds: 0x1f & ~(1 << Kind.SDEI) });
    const at = { policy: 'sframe-strict', mode: 'reliable' };
    expect(total(with_, run, { ...at, verdict: 'exact' })).toBe(run.tally.points);
  });

  it('are the same every time, on a machine that has done other things in between', () => {
    const with_ = parts('fgraph');
    const first = cells(with_, runSweep(with_, SCENARIOS.fgraphLeaf));
    runSweep(with_, SCENARIOS.fgraphTail);
    expect(cells(with_, runSweep(with_, SCENARIOS.fgraphLeaf))).toEqual(first);
    const fresh = sweepParts('fgraph');
    expect(cells(fresh, runSweep(fresh, SCENARIOS.fgraphLeaf))).toEqual(first);
    fresh.machine.close();
  });
});

describe('a range', () => {
  it('takes its instructions only, and ranges add up to the whole', () => {
    const with_ = parts('sdei');
    const whole = runSweep(with_, SCENARIOS.prologue);
    const middle = Math.floor(whole.end.instructions / 2);
    const [one, two] = [
      runSweep(with_, SCENARIOS.prologue, { to: middle }),
      runSweep(with_, SCENARIOS.prologue, { from: middle }),
    ];
    expect(one.end).toMatchObject({ finished: false, instructions: middle });
    expect(two.end).toEqual(whole.end);
    expect(one.tally.points + two.tally.points).toBe(whole.tally.points);
    const sum = new Map<string, number>();
    for (const run of [one, two]) {
      for (const line of cells(with_, run)) {
        const [cell = '', count] = line.split(': ');
        sum.set(cell, (sum.get(cell) ?? 0) + Number(count));
      }
    }
    const lines = [...sum].map(([cell, count]) => `${cell}: ${count}`);
    expect(lines.sort()).toEqual(cells(with_, whole));
  });

  it('takes the kinds that it names', () => {
    const with_ = parts('sdei');
    for (const [kind, name] of KIND_NAMES.entries()) {
      const run = runSweep(with_, SCENARIOS.prologue, { kinds: 1 << kind });
      expect(run.tally.points).toBe(run.end.instructions);
      expect(total(with_, run, { kind: name })).toBe(run.tally.points * 2 * POLICY_LIST.length);
    }
    expect(runSweep(with_, SCENARIOS.prologue, { kinds: 0 }).tally.points).toBe(0);
  });
});

describe('depth 2', () => {
  let with_: LabParts;
  beforeAll(() => {
    with_ = parts('entry');
  });

  it.each(KIND_NAMES)('interrupts every instruction of the handling of %s', (name) => {
    const outer = KIND_NAMES.indexOf(name);
    const run = runSweep(with_, SCENARIOS.trivial, {
      to: 1,
      kinds: 0,
      outerKinds: 1 << outer,
    });
    expect(problemText(run)).toEqual([]);
    expect(run.tally.points).toBeGreaterThan(100);
    expect(total(with_, run, { depth: '1' })).toBe(0);
    // No ordinary interrupt nests in a handler that has PSTATE.I or the priority mask raised.
    const inner = KIND_NAMES.filter((kind) => total(with_, run, { kind }) > 0);
    expect(inner).toContain('sdei');
    const verdicts = { mode: 'reliable', policy: 'frame-pointer', verdict: 'unreliable' };
    expect(total(with_, run, verdicts)).toBeGreaterThan(0);
  });

  it('can take one inner instruction, which is one of the whole', () => {
    const options = { to: 1, kinds: 0, outerKinds: 1 << Kind.IRQ, innerKinds: 1 << Kind.SDEI };
    const whole = runSweep(with_, SCENARIOS.trivial, options);
    let sum = 0;
    for (const from of [0, 7, 40]) {
      const one = runSweep(with_, SCENARIOS.trivial, {
        ...options,
        innerFrom: from,
        innerTo: from + 1,
        walked: (point) => {
          expect(point).toEqual({
            index: 0,
            kind: Kind.IRQ,
            inner: { index: from, kind: Kind.SDEI },
          });
        },
      });
      sum += one.tally.points;
    }
    expect(sum).toBe(3);
    expect(whole.tally.points).toBeGreaterThan(150);
  });
});
