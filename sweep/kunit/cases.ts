/**
 * The 22 cases of the KUnit suite `reliable_stacktrace` (lib/tests/stacktrace_kunit.c in the kernel
 * of shared/reference/kunit, v7.3-rc7), in its order.
 */

/** Name of the suite in KTAP. */
export const SUITE_NAME = 'reliable_stacktrace';
/** Name of its kernel module. */
export const MODULE_NAME = 'stacktrace_kunit';

/** Where the walk of a case is asked for. */
export type WalkPlace =
  'nowhere' | 'callee' | 'ftrace-callback' | 'fgraph-entry' | 'fgraph-return' | 'kprobe-handler';

/** How caller_1 comes to the innermost callee: directly, through a tail call, through a real one. */
export type CallShape = 'direct' | 'tail' | 'notail';

/** One case. */
export interface KunitCase {
  /** `test_unwind_reliable` and so on; also the name of the guest's function. */
  readonly name: string;
  /** The function that caller_1 calls. */
  readonly callee: string;
  readonly shape: CallShape;
  readonly walk: WalkPlace;
  /** What is active on {@link tracedFunctions} while the chain runs. */
  readonly tracing: 'none' | 'ftrace' | 'fgraph' | 'kprobe' | 'fgraph+kprobe';
  /** Functions that are traced (or, for a kprobe, probed at their first instruction). */
  readonly traced: readonly string[];
  /**
   * For a case with parameters: the function that gets a kprobe on each of its instructions in
   * turn, one parameter each.
   */
  readonly probedFunction?: string;
  /**
   * What passes. `no-walk`: no walk happened. `callers`: the walk is marked unreliable, or lists
   * caller_1, caller_2 and caller_3 in this order. `callers-if-hit`: the same, where a probe was
   * hit.
   */
  readonly rule: 'no-walk' | 'callers' | 'callers-if-hit';
  /** One line: what the case looks at. */
  readonly summary: string;
}

const NOP = 'callee_nop';
const WALKER = 'callee_unwind_reliable';

/** The cases, in the order in which the suite runs them. */
export const KUNIT_CASES: readonly KunitCase[] = [
  quiet('nounwind', NOP, 'direct', 'none', []),
  quiet('nounwind_tail', 'caller_tail_nop', 'tail', 'none', []),
  quiet('nounwind_notail', 'caller_notail_nop', 'notail', 'none', []),
  walking('unwind_reliable', WALKER, 'direct', 'none', []),
  walking('unwind_reliable_tail', 'caller_tail_unwind_reliable', 'tail', 'none', []),
  walking('unwind_reliable_notail', 'caller_notail_unwind_reliable', 'notail', 'none', []),
  quiet('nounwind_with_ftrace', NOP, 'direct', 'ftrace', [NOP]),
  walking('unwind_reliable_with_ftrace', WALKER, 'direct', 'ftrace', [WALKER]),
  handler('ftrace_unwind_reliable', 'ftrace-callback', 'ftrace', 'the ftrace callback'),
  quiet('nounwind_with_fgraph', NOP, 'direct', 'fgraph', [NOP]),
  quiet('nounwind_with_fgraph_tail', 'caller_tail_nop', 'tail', 'fgraph', ['caller_tail_nop', NOP]),
  quiet('nounwind_with_fgraph_notail', 'caller_notail_nop', 'notail', 'fgraph', [
    'caller_notail_nop',
    NOP,
  ]),
  walking('unwind_reliable_with_fgraph', WALKER, 'direct', 'fgraph', [WALKER]),
  walking('unwind_reliable_with_fgraph_tail', 'caller_tail_unwind_reliable', 'tail', 'fgraph', [
    'caller_tail_unwind_reliable',
    WALKER,
  ]),
  walking(
    'unwind_reliable_with_fgraph_notail',
    'caller_notail_unwind_reliable',
    'notail',
    'fgraph',
    ['caller_notail_unwind_reliable', WALKER],
  ),
  handler('fgraph_entry_unwind_reliable', 'fgraph-entry', 'fgraph', 'the graph entry handler'),
  handler('fgraph_exit_unwind_reliable', 'fgraph-return', 'fgraph', 'the graph return handler'),
  quiet('nounwind_with_kprobe', NOP, 'direct', 'kprobe', [NOP]),
  walking('unwind_reliable_with_kprobe', WALKER, 'direct', 'kprobe', [WALKER]),
  handler('kprobe_unwind_reliable', 'kprobe-handler', 'kprobe', 'the kprobe pre-handler'),
  {
    name: 'test_async_unwind_reliable',
    callee: 'callee_nop_caller',
    shape: 'direct',
    walk: 'kprobe-handler',
    tracing: 'kprobe',
    traced: [],
    probedFunction: 'callee_nop_caller',
    rule: 'callers-if-hit',
    summary: 'a kprobe on each instruction of the callee walks',
  },
  {
    name: 'test_fgraph_async_unwind_reliable',
    callee: NOP,
    shape: 'direct',
    walk: 'kprobe-handler',
    tracing: 'fgraph+kprobe',
    traced: [NOP],
    probedFunction: 'return_to_handler',
    rule: 'callers-if-hit',
    summary: 'a kprobe on each instruction of return_to_handler walks',
  },
];

const NAMES: ReadonlySet<string> = new Set(KUNIT_CASES.map(({ name }) => name));

/** Whether the suite has a case of that name. */
export function isCaseName(name: string): boolean {
  return NAMES.has(name);
}

/** The functions that a reliable walk of any case has to list, innermost first. */
export const REQUIRED_CALLERS = ['caller_1', 'caller_2', 'caller_3'] as const;

/**
 * The first of {@link REQUIRED_CALLERS} that a walk does not list in its place, or undefined.
 * @param names functions, innermost first
 */
export function missingCaller(names: Iterable<string>): string | undefined {
  let found = 0;
  for (const name of names) if (name === REQUIRED_CALLERS[found]) found++;
  return REQUIRED_CALLERS[found];
}

function quiet(
  name: string,
  callee: string,
  shape: CallShape,
  tracing: KunitCase['tracing'],
  traced: readonly string[],
): KunitCase {
  const summary = `the callee returns${tracing === 'none' ? '' : ` under ${tracing}`}`;
  return {
    name: `test_${name}`,
    callee,
    shape,
    walk: 'nowhere',
    tracing,
    traced,
    rule: 'no-walk',
    summary,
  };
}

function walking(
  name: string,
  callee: string,
  shape: CallShape,
  tracing: KunitCase['tracing'],
  traced: readonly string[],
): KunitCase {
  const summary = `the callee walks${tracing === 'none' ? '' : ` under ${tracing}`}`;
  return {
    name: `test_${name}`,
    callee,
    shape,
    walk: 'callee',
    tracing,
    traced,
    rule: 'callers',
    summary,
  };
}

function handler(
  name: string,
  walk: WalkPlace,
  tracing: KunitCase['tracing'],
  who: string,
): KunitCase {
  return {
    name: `test_${name}`,
    callee: NOP,
    shape: 'direct',
    walk,
    tracing,
    traced: [NOP],
    rule: 'callers',
    summary: `${who} walks`,
  };
}
