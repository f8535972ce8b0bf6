/**
 * What is expected of the 22 cases of the KUnit suite `reliable_stacktrace`
 * (lib/tests/stacktrace_kunit.c, v7.3-rc7), in its order. scenarios/kunit/kunit.ts sets each of
 * them up.
 */
import {
  KUNIT_CASES as GUEST_CASES,
  type KunitCase as GuestCase,
} from '../scenarios/kunit/kunit.js';

/** Name of the suite in KTAP. */
export const SUITE_NAME = 'reliable_stacktrace';
/** Name of its kernel module. */
export const MODULE_NAME = 'stacktrace_kunit';

/** Where the walk of a case is asked for. */
export type WalkPlace =
  'nowhere' | 'callee' | 'ftrace-callback' | 'fgraph-entry' | 'fgraph-return' | 'kprobe-handler';

/** What is active on functions of the call chain. */
export type Tracing = 'none' | 'ftrace' | 'fgraph' | 'kprobe' | 'fgraph+kprobe';

/**
 * What passes. `no-walk`: no walk happened. `callers`: the walk is marked unreliable, or lists
 * caller_1, caller_2 and caller_3 in this order. `callers-if-hit`: the same, where a probe was hit.
 */
export type PassRule = 'no-walk' | 'callers' | 'callers-if-hit';

/** One case: its set-up, and what is expected. */
export interface KunitCase extends GuestCase {
  readonly tracing: Tracing;
  readonly walk: WalkPlace;
  readonly rule: PassRule;
  /**
   * Bytes by which the thread's stack begins lower, a multiple of 16. sframe-v6 refuses a CFA with
   * bit 4 set, and frames of the reference kernel differ in size from the guest's. The shift gives
   * that bit, at the probed instructions, the value that the reference log shows.
   */
  readonly stackShift: number;
}

const EXPECTED: Readonly<Record<string, readonly [Tracing, WalkPlace, number?]>> = {
  test_nounwind: ['none', 'nowhere'],
  test_nounwind_tail: ['none', 'nowhere'],
  test_nounwind_notail: ['none', 'nowhere'],
  test_unwind_reliable: ['none', 'callee'],
  test_unwind_reliable_tail: ['none', 'callee'],
  test_unwind_reliable_notail: ['none', 'callee'],
  test_nounwind_with_ftrace: ['ftrace', 'nowhere'],
  test_unwind_reliable_with_ftrace: ['ftrace', 'callee'],
  test_ftrace_unwind_reliable: ['ftrace', 'ftrace-callback'],
  test_nounwind_with_fgraph: ['fgraph', 'nowhere'],
  test_nounwind_with_fgraph_tail: ['fgraph', 'nowhere'],
  test_nounwind_with_fgraph_notail: ['fgraph', 'nowhere'],
  test_unwind_reliable_with_fgraph: ['fgraph', 'callee'],
  test_unwind_reliable_with_fgraph_tail: ['fgraph', 'callee'],
  test_unwind_reliable_with_fgraph_notail: ['fgraph', 'callee'],
  test_fgraph_entry_unwind_reliable: ['fgraph', 'fgraph-entry'],
  test_fgraph_exit_unwind_reliable: ['fgraph', 'fgraph-return'],
  test_nounwind_with_kprobe: ['kprobe', 'nowhere'],
  test_unwind_reliable_with_kprobe: ['kprobe', 'callee'],
  test_kprobe_unwind_reliable: ['kprobe', 'kprobe-handler'],
  test_async_unwind_reliable: ['kprobe', 'kprobe-handler', 16],
  test_fgraph_async_unwind_reliable: ['fgraph+kprobe', 'kprobe-handler'],
};

/** The cases, in the order in which the suite runs them. */
export const KUNIT_CASES: readonly KunitCase[] = GUEST_CASES.map((guest) => {
  const expected = EXPECTED[guest.name];
  if (expected === undefined) throw new Error(`nothing is known of the case ${guest.name}`);
  const [tracing, walk, stackShift = 0] = expected;
  const rule = guest.async !== undefined ? 'callers-if-hit' : 'callers';
  return { ...guest, tracing, walk, rule: walk === 'nowhere' ? 'no-walk' : rule, stackShift };
});

/** Whether the suite has a case of that name. */
export function isCaseName(name: string): boolean {
  return Object.hasOwn(EXPECTED, name);
}

/**
 * The handlers that a run of a case must have called, by their names in the guest
 * (scenarios/kunit).
 */
export function handlersOf({ tracing, walk, async }: KunitCase): readonly string[] {
  switch (tracing) {
    case 'none':
      return [];
    case 'ftrace':
      return [walk === 'ftrace-callback' ? 'fops_unwind_reliable' : 'fops_nop_func'];
    case 'fgraph':
    case 'fgraph+kprobe':
      return [
        walk === 'fgraph-entry' ? 'gops_entry_func_unwind_reliable' : 'gops_entry_func_nop',
        walk === 'fgraph-return' ? 'gops_return_func_unwind_reliable' : 'gops_return_func_nop',
      ];
    case 'kprobe':
      // A parameter may miss its probe, and then says so.
      if (async !== undefined) return [];
      return [walk === 'kprobe-handler' ? 'kp_unwind_reliable' : 'kp_nop'];
  }
}

/** The functions that a reliable walk of any case must list, innermost first. */
const REQUIRED_CALLERS = ['caller_1', 'caller_2', 'caller_3'] as const;

/**
 * The first of {@link REQUIRED_CALLERS} that a walk does not list in order, or undefined.
 * @param names functions, innermost first
 */
export function missingCaller(names: Iterable<string>): string | undefined {
  let found = 0;
  for (const name of names) if (name === REQUIRED_CALLERS[found]) found++;
  return REQUIRED_CALLERS[found];
}
