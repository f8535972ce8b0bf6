/**
 * The parameterised cases with any of their instructions probed: `sweep kunit` interrupts the run that
 * probes the first one, and this some of the others, or all, at every instruction, with every kind.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Kind } from '../../kernel-model/exception-kind.js';
import { family, KUNIT_CASES, kunitScenario } from '../../scenarios/kunit/kunit.js';
import type { GuestKernelName } from '../../scenarios/scenario.js';
import { scenarioElf } from '../../targets/catalogue.js';
import { kprobeRefusal } from '../../lab/kprobe-setup.js';
import { Lab } from '../../lab/lab.js';
import type { LabParts } from '../../lab/lab-parts.js';
import { VERDICTS } from '../../scenarios/verdict.js';
import { backend, must } from '../cpu-fixture.js';
import { sample } from '../exhaustive.js';
import { problemText, runSweep } from '../sweep/sweep-run.js';

let lab: Lab;
beforeAll(() => {
  lab = must(Lab.create(backend()));
});
afterAll(() => {
  lab.close();
});

const RUNS = KUNIT_CASES.flatMap((test) => {
  const kernels: GuestKernelName[] = test.name.includes('fgraph')
    ? ['linux', 'fgraph-recover']
    : ['linux'];
  return test.async === undefined ? [] : kernels.map((kernel) => [test.name, kernel] as const);
});

/** Offsets at which Linux accepts a probe, in bytes. */
function offsets({ machine }: LabParts, fn: string): number[] {
  const symbol = machine.symbols.byName(fn);
  if (symbol === undefined) throw new Error(fn);
  const { address, size } = symbol;
  return Array.from({ length: size / 4 }, (_, i) => 4 * i).filter(
    (offset) => kprobeRefusal(machine, address + offset) === undefined,
  );
}

describe.each(RUNS)('%s on the kernel %s, whatever is probed', (name, kernel) => {
  it('has no unsafe point under the policies that recover', () => {
    const test = KUNIT_CASES.find((one) => one.name === name);
    const parts = must(lab.machineFor(scenarioElf(family, kernel), kernel));
    if (test?.async === undefined) throw new Error(name);
    const probed = offsets(parts, test.async);
    expect(probed.length).toBeGreaterThanOrEqual(7);
    const unsafe = new Set<string>();
    const recoverRefused = new Set<string>();
    const walks = { exact: 0, unreliable: 0 };
    for (const offset of sample(probed, 2)) {
      const run = runSweep(parts, kunitScenario(test, offset, kernel), {
        walked: ({ kind }, { policy, mode, verdict, pc }) => {
          if (mode !== 'reliable' || !policy.name.startsWith('fgraph-')) return;
          const text = VERDICTS[verdict];
          if (text === 'unreliable' && kind !== Kind.SDEI && policy.name === 'fgraph-recover') {
            recoverRefused.add(parts.machine.symbols.at(pc)?.symbol.name ?? '?');
          }
          if (text === 'exact' || text === 'unreliable') walks[text]++;
          else unsafe.add(`+${offset}: ${policy.name} ${text} ${parts.machine.symbols.format(pc)}`);
        },
      });
      expect(problemText(run), `+${offset}`).toEqual([]);
      expect(run.end.finished).toBe(true);
      expect(run.end.result).toBe(0);
    }
    expect([...unsafe]).toEqual([]);
    // The hook of the tracer has no CFI; on this kernel nothing else is without.
    if (kernel === 'fgraph-recover') expect([...recoverRefused]).toEqual(['ftrace_caller']);
    expect(walks.exact).toBeGreaterThan(0);
    expect(walks.unreliable).toBeGreaterThan(0);
  });
});
