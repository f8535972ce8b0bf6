import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBackend } from '../../emulator/backend.js';
import { EntryKind } from '../../kernel-model/ground-truth.js';
import { ScenarioCpu } from '../../kernel-model/scenario-cpu.js';
import { Reg } from '../../emulator/registers.js';
import { family, kunitScenario } from '../../scenarios/kunit/kunit.js';
import { scenarioElf } from '../../targets/catalogue.js';
import type { CaseRun } from '../../kunit/case-run.js';
import { KUNIT_CASES, type KunitCase } from '../../kunit/cases.js';
import { compareSuites, differenceText } from '../../kunit/compare.js';
import { ktapLines } from '../../kunit/ktap-write.js';
import { guestKernelOf, KunitMachines } from '../../kunit/machines.js';
import { parseSuiteLog } from '../../kunit/reliable-stacktrace-log.js';
import { suiteDocument } from '../../kunit/suite-ktap.js';
import type { SuiteLog } from '../../kunit/suite-log.js';
import { Lab } from '../../lab/lab.js';
import { setUpScenario } from '../../lab/scenario-setup.js';
import { POLICIES } from '../../unwinder/policies/all.js';
import type { PolicyName } from '../../unwinder/policy.js';
import { sample } from '../exhaustive.js';
import { REFERENCE_POLICIES, referenceFolder, referenceText } from './reference-logs.js';

const ALL = Object.keys(POLICIES) as PolicyName[];

let machines: KunitMachines;
let lab: Lab;
/** Every case under every policy, at the stack that the cases ask for. */
const all = new Map<string, CaseRun>();

beforeAll(async () => {
  const backend = await openBackend();
  if (!backend.ok) throw new Error(backend.error.message);
  machines = new KunitMachines(backend.value);
  const made = Lab.create(backend.value);
  if (!made.ok) throw new Error(made.error.message);
  lab = made.value;
  for (const kernel of new Set(ALL.map(guestKernelOf))) {
    const runner = machines.runnerFor(kernel);
    if (!runner.ok) throw new Error(runner.error);
    const policies = ALL.filter((policy) => guestKernelOf(policy) === kernel);
    for (const definition of KUNIT_CASES) {
      for (const one of runner.value.run(policies, definition)) {
        all.set(`${one.policy} ${definition.name}`, one);
      }
    }
  }
});

afterAll(() => {
  machines.close();
  lab.close();
});

function run(policy: PolicyName, definition: KunitCase): CaseRun {
  const found = all.get(`${policy} ${definition.name}`);
  if (found === undefined) throw new Error(definition.name);
  return found;
}

function runShifted(policy: PolicyName, definition: KunitCase, stackShift: number): CaseRun {
  const runner = machines.runnerFor(guestKernelOf(policy));
  if (!runner.ok) throw new Error(runner.error);
  const [only] = runner.value.run([policy], definition, stackShift);
  if (only === undefined) throw new Error('no run');
  return only;
}

function named(name: string): KunitCase {
  const found = KUNIT_CASES.find((one) => one.name === `test_${name}`);
  if (found === undefined) throw new Error(name);
  return found;
}

function suite(policy: PolicyName): SuiteLog {
  const cases = KUNIT_CASES.map((definition) => ({ definition, run: run(policy, definition) }));
  const lines = [...ktapLines(suiteDocument([{ policy, cases }]))];
  const parsed = parseSuiteLog(`${lines.join('\n')}\n`);
  if (!parsed.ok) throw new Error(parsed.error.kind);
  return parsed.value;
}

describe.skipIf(referenceFolder === undefined)('a real kernel', () => {
  test.each(REFERENCE_POLICIES)('agrees under %s', (policy) => {
    const reference = parseSuiteLog(referenceText(policy));
    if (!reference.ok) throw new Error(reference.error.kind);
    expect(compareSuites(suite(policy), reference.value).map(differenceText)).toEqual([]);
  });
});

describe('the cases', () => {
  test.each(ALL)('%s: every guest does what its case is made of', (policy) => {
    for (const definition of KUNIT_CASES) {
      const { steps } = run(policy, definition);
      expect(steps.length).toBeGreaterThan(0);
      for (const { name, problem } of steps) expect(problem, `${definition.name} ${name}`).toBe('');
    }
  });

  test.each(ALL)('%s: a walk called reliable is exact, but for fgraph_exit', (policy) => {
    const unsafe = KUNIT_CASES.flatMap((definition) =>
      run(policy, definition).steps.flatMap(({ walk }) =>
        walk === undefined || walk.unsafe === '' ? [] : [`${definition.name} ${walk.unsafe}`],
      ),
    );
    const window = [/^test_fgraph_exit_unwind_reliable missing caller_1\+/];
    const expected = policy.startsWith('fgraph-') ? [] : window;
    expect(unsafe).toEqual(expected.map((like) => expect.stringMatching(like) as string));
  });

  test.each(['fgraph-detect', 'fgraph-recover'] as const)('%s passes all', (policy) => {
    const log = suite(policy);
    expect(log.ok).toBe(true);
    expect(log.cases).toHaveLength(22);
  });

  test('fgraph-recover knows every instruction of return_to_handler', () => {
    const { steps } = run('fgraph-recover', named('fgraph_async_unwind_reliable'));
    const hit = steps.filter(({ probe }) => probe?.kind === 'hit');
    expect(hit.length).toBeGreaterThanOrEqual(15);
    expect(hit.map(({ walk }) => walk?.error)).toEqual(hit.map(() => undefined));
  });
});

/**
 * CFA of an interrupted call at the walk request: SP where control returns to.
 * @param outer 0 for the innermost, 1 for the call around it
 */
function callFrameAddress(definition: KunitCase, stackShift: number, outer: number): number {
  const made = lab.machineFor(scenarioElf(family, 'linux'));
  if (!made.ok) throw new Error(made.error.message);
  const { machine, stacks } = made.value;
  const entry = setUpScenario(machine, kunitScenario(definition));
  if (typeof entry !== 'number') throw new Error(entry.kind);
  const cpu = new ScenarioCpu(machine, stacks);
  cpu.reset();
  const { registers } = machine.stepper;
  registers.set(Reg.SP, registers.get(Reg.SP) - definition.stackShift - stackShift);
  machine.stepper.writeBack();
  while (machine.stepper.pc !== machine.kernel.roles.walkRequest) {
    if (!cpu.step()) throw new Error(cpu.problem);
  }
  const { kinds, sps, depth } = cpu.truth.current;
  const exception = kinds.subarray(0, depth).lastIndexOf(EntryKind.EXCEPTION);
  return sps[exception - 1 - outer] ?? NaN;
}

describe('sframe-v6 refuses a CFA', () => {
  // With and without bit 4.
  const pairs = [0, 32, 64, 96].map((shift) => [shift, shift + 16]);
  const shifts = sample(pairs, 1).flat();
  // At return_to_handler the address is recovered first: SFrame is asked about caller_1.
  const cases = [
    ['kprobe_unwind_reliable', 0],
    ['async_unwind_reliable', 0],
    ['fgraph_async_unwind_reliable', 1],
  ] as const;

  test.each(cases)('%s: exactly when bit 4 is set', (name, outer) => {
    const definition = named(name);
    const bits = shifts.map((shift) => callFrameAddress(definition, shift, outer) & 0x10);
    expect(new Set(bits).size).toBe(2);
    for (const [i, shift] of shifts.entries()) {
      const [first] = runShifted('sframe-v6', definition, shift).steps;
      expect(first?.walk?.reason).toBe(bits[i] === 0 ? '' : 'cfa-misaligned');
      expect(first?.walk?.error).toBe(bits[i] === 0 ? undefined : -22);
      const [strict] = runShifted('sframe-strict', definition, shift).steps;
      expect(strict?.walk?.error).toBeUndefined();
    }
  });
});
