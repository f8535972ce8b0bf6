/**
 * The kernel's reliable-stacktrace tests (docs/kernel-facts.md, "The reliable-stacktrace suite") as
 * scenarios: what is traced or probed in each case, and the exhaustive sweep of each.
 */
import { casePromises, recoverPromises } from './kunit-promises.js';
import type { GuestKernelName, KprobeSite, Scenario, ScenarioFamily } from '../scenario.js';
import { withPromises } from '../with-promises.js';

/** One case. */
export interface KunitCase {
  /** The test function: the scenario's entry, and the name in a log. */
  readonly name: string;
  /** What caller_1 calls. */
  readonly callee: string;
  /** Functions whose patch sites are enabled. */
  readonly traced: readonly string[];
  /** Function with a kprobe on its first instruction. */
  readonly kprobe?: string;
  /** Function whose instructions are probed one by one, one run (one subtest) for each. */
  readonly async?: string;
  /** One line for `list`. */
  readonly summary: string;
}

/** The parts that the tracer and the host have in the three variants of a callee. */
const VARIANTS = [
  ['', 'callee'],
  ['_tail', 'caller_tail'],
  ['_notail', 'caller_notail'],
] as const;

const WHAT = { nop: 'nothing walks', unwind_reliable: 'the callee walks' } as const;

function direct(test: string, kind: keyof typeof WHAT): KunitCase[] {
  return VARIANTS.map(([suffix, caller]) => ({
    name: `test_${test}${suffix}`,
    callee: `${caller}_${kind}`,
    traced: [],
    summary: `a call chain to ${caller}_${kind}: ${WHAT[kind]}`,
  }));
}

function withFgraph(test: string, kind: keyof typeof WHAT): KunitCase[] {
  const inner = `callee_${kind}`;
  return VARIANTS.map(([suffix, caller]) => {
    const callee = `${caller}_${kind}`;
    const traced = callee === inner ? [inner] : [callee, inner];
    return {
      name: `test_${test}_with_fgraph${suffix}`,
      callee,
      traced,
      summary: `function graph on ${traced.join(' and ')}: ${WHAT[kind]}`,
    };
  });
}

/** The cases in the suite's order. */
export const KUNIT_CASES: readonly KunitCase[] = [
  ...direct('nounwind', 'nop'),
  ...direct('unwind_reliable', 'unwind_reliable'),
  {
    name: 'test_nounwind_with_ftrace',
    callee: 'callee_nop',
    traced: ['callee_nop'],
    summary: 'an ftrace callback on the callee: nothing walks',
  },
  {
    name: 'test_unwind_reliable_with_ftrace',
    callee: 'callee_unwind_reliable',
    traced: ['callee_unwind_reliable'],
    summary: 'an ftrace callback on the callee: the callee walks',
  },
  {
    name: 'test_ftrace_unwind_reliable',
    callee: 'callee_nop',
    traced: ['callee_nop'],
    summary: 'an ftrace callback on the callee: the callback walks',
  },
  ...withFgraph('nounwind', 'nop'),
  ...withFgraph('unwind_reliable', 'unwind_reliable'),
  {
    name: 'test_fgraph_entry_unwind_reliable',
    callee: 'callee_nop',
    traced: ['callee_nop'],
    summary: 'function graph on the callee: its entry handler walks',
  },
  {
    name: 'test_fgraph_exit_unwind_reliable',
    callee: 'callee_nop',
    traced: ['callee_nop'],
    summary: 'function graph on the callee: its return handler walks, and caller_1 is missed',
  },
  {
    name: 'test_nounwind_with_kprobe',
    callee: 'callee_nop',
    traced: [],
    kprobe: 'callee_nop',
    summary: 'a kprobe on the callee: nothing walks',
  },
  {
    name: 'test_unwind_reliable_with_kprobe',
    callee: 'callee_unwind_reliable',
    traced: [],
    kprobe: 'callee_unwind_reliable',
    summary: 'a kprobe on the callee: the callee walks',
  },
  {
    name: 'test_kprobe_unwind_reliable',
    callee: 'callee_nop',
    traced: [],
    kprobe: 'callee_nop',
    summary: 'a kprobe on the callee: its handler walks',
  },
  {
    name: 'test_async_unwind_reliable',
    callee: 'callee_nop_caller',
    traced: [],
    async: 'callee_nop_caller',
    summary: 'a kprobe on each instruction of the callee: its handler walks',
  },
  {
    name: 'test_fgraph_async_unwind_reliable',
    callee: 'callee_nop',
    traced: ['callee_nop'],
    async: 'return_to_handler',
    summary: 'function graph, and a kprobe on each instruction of return_to_handler',
  },
];

/**
 * One run of a case.
 * @param offset byte offset of the probed instruction in the function of a parameterised case;
 * default 0
 */
export function kunitScenario(
  test: KunitCase,
  offset = 0,
  kernel: GuestKernelName = 'linux',
): Scenario {
  const probed = test.async ?? test.kprobe;
  // Until the case sets its own handler, the probe's handler does nothing.
  const kprobes: KprobeSite[] =
    probed === undefined ? [] : [{ symbol: probed, offset, handler: 'kp_nop' }];
  const recover = kernel === 'fgraph-recover';
  return withPromises(
    {
      name: `kunit/${recover ? 'recover-' : ''}${test.name.slice(5).replaceAll('_', '-')}`,
      summary: test.summary,
      entry: test.name,
      args: [{ number: offset }],
      thread: 'kunit_generic_run_threadfn_adapter',
      result: 0,
      traced: test.traced,
      kprobes,
      kernel,
      topics: ['kunit'],
    },
    () =>
      recover
        ? recoverPromises()
        : casePromises({
            ftrace: test.traced.length > 0,
            graph: isGraphCase(test),
            probed: probed !== undefined,
            exitWalks: test.name === 'test_fgraph_exit_unwind_reliable',
          }),
  );
}

function isGraphCase({ name }: KunitCase): boolean {
  return name.includes('fgraph');
}

/**
 * The suite as scenarios. A parameterised case has its first instruction probed. The cases with
 * function graph are repeated on the kernel whose return path is reordered.
 */
export const family: ScenarioFamily = {
  name: 'kunit',
  summary: 'the reliable-stacktrace tests, interrupted at every instruction',
  elf: 'kunit.elf',
  scenarios: [
    ...KUNIT_CASES.map((test) => kunitScenario(test)),
    ...KUNIT_CASES.filter(isGraphCase).map((test) => kunitScenario(test, 0, 'fgraph-recover')),
  ],
};
