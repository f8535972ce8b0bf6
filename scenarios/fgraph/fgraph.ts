/**
 * Function graph tracing: every instruction of the entry hook (patch site, ftrace_caller,
 * function_graph_enter), of return_to_handler and of the C code it calls.
 */
import type { Scenario, ScenarioFamily } from '../scenario.js';
import { withPromises } from '../with-promises.js';
import { onLinux, onRecover, type TracedCalls } from './fgraph-promises.js';

interface TracedScenario extends TracedCalls {
  readonly name: string;
  readonly summary: string;
  readonly argument: number;
  readonly result: number;
  readonly traced: readonly string[];
  readonly depth?: 2;
  /** In addition to the family's own. */
  readonly topics?: readonly string[];
}

/** The scenario without its promises, which depend on the kernel. */
function described(of: TracedScenario) {
  return {
    name: `fgraph/${of.name}`,
    summary: of.summary,
    entry: of.entry,
    args: [{ number: of.argument }],
    result: of.result,
    traced: of.traced,
    ...(of.depth === undefined ? {} : { depth: of.depth }),
    topics: ['fgraph', 'ftrace', ...(of.topics ?? [])],
  };
}

function traced(of: TracedScenario): Scenario {
  return withPromises(described(of), () => onLinux(of));
}

/** The same scenario on the kernel whose return path always keeps the address somewhere. */
function recovering(of: TracedScenario): Scenario {
  return withPromises(
    {
      ...described(of),
      name: `fgraph/recover-${of.name}`,
      summary: `${of.summary}; the entry is popped once x30 holds the address`,
      kernel: 'fgraph-recover',
      topics: ['fgraph', 'ftrace', 'recover', ...(of.topics ?? [])],
    },
    () => onRecover(of),
  );
}

/** What the tracers of tracers.c run, and what registers them. */
const DATA = { framed: ['fgraph_data_begin'], frameless: ['fgraph_reserve_data'] } as const;
const REGISTERING = ['register_ftrace_graph', 'unregister_ftrace_graph'] as const;

const TRACED: readonly TracedScenario[] = [
  {
    name: 'leaf',
    summary: 'a traced leaf: its return address is in x30 and on the return stack only',
    entry: 'fgraph_leaf_entry',
    argument: 10,
    result: 31,
    traced: ['fgraph_leaf'],
    shape: { framed: [], frameless: ['fgraph_leaf'] },
    calls: 1,
    aligned: 0,
    depth: 2,
    topics: ['review'],
  },
  {
    name: 'callee',
    summary: 'a traced function with a frame: return_to_handler is found in its record',
    entry: 'fgraph_callee_entry',
    argument: 10,
    result: 19,
    traced: ['fgraph_callee'],
    shape: { framed: ['fgraph_callee'], frameless: ['fgraph_plain'] },
    calls: 1,
    aligned: 0,
    depth: 2,
  },
  {
    name: 'nested',
    summary: 'traced functions that call traced functions: an entry for each frame',
    entry: 'fgraph_nested_entry',
    argument: 10,
    result: 52,
    traced: ['fgraph_outer', 'fgraph_middle', 'fgraph_leaf', 'fgraph_callee'],
    shape: {
      framed: ['fgraph_outer', 'fgraph_middle', 'fgraph_callee'],
      frameless: ['fgraph_leaf', 'fgraph_plain'],
    },
    calls: 4,
    aligned: 3,
  },
  {
    name: 'tail',
    summary: 'a chain of traced tail calls: several entries for one frame, the oldest is right',
    entry: 'fgraph_tail_entry',
    argument: 10,
    result: 66,
    traced: ['fgraph_tail_first', 'fgraph_tail_second', 'fgraph_tail_third', 'fgraph_leaf'],
    shape: {
      framed: ['fgraph_tail_second', 'fgraph_tail_third'],
      frameless: ['fgraph_tail_first', 'fgraph_leaf', 'fgraph_plain'],
    },
    calls: 4,
    tailCalls: 2,
    aligned: 1,
  },
  {
    name: 'recurse',
    summary: 'a traced recursion: entries of one function, told apart by their frames',
    entry: 'fgraph_recurse_entry',
    argument: 3,
    result: 6,
    traced: ['fgraph_recurse'],
    shape: { framed: ['fgraph_recurse'] },
    calls: 4,
    aligned: 0,
  },
  {
    name: 'repeat',
    summary: 'two traced calls, one after the other: the return stack is empty in between',
    entry: 'fgraph_repeat_entry',
    argument: 10,
    result: 62,
    traced: ['fgraph_leaf'],
    shape: { framed: [], frameless: ['fgraph_leaf'] },
    calls: 2,
    aligned: 2,
  },
  {
    name: 'data',
    summary: 'a second tracer with words of its own on the return stack, above the entry',
    entry: 'fgraph_data_entry',
    argument: 10,
    result: 31,
    traced: ['fgraph_leaf'],
    shape: { framed: [], frameless: ['fgraph_leaf', ...REGISTERING] },
    tracers: { entry: DATA, exit: ['fgraph_data_end'] },
    calls: 1,
    aligned: 0,
    topics: ['fgraph-ops'],
  },
  {
    name: 'several',
    summary: 'four tracers of one function: words of two, one given back, returns of three',
    entry: 'fgraph_several_entry',
    argument: 10,
    result: 19,
    traced: ['fgraph_callee'],
    shape: { framed: ['fgraph_callee'], frameless: ['fgraph_plain', ...REGISTERING] },
    tracers: {
      entry: {
        framed: [...DATA.framed, 'fgraph_decline_begin'],
        frameless: [...DATA.frameless, 'fgraph_plain_begin'],
      },
      exit: ['fgraph_data_end', 'fgraph_plain_end'],
    },
    calls: 1,
    aligned: 1,
    topics: ['fgraph-ops'],
  },
  {
    name: 'several-tail',
    summary: 'a chain of traced tail calls under three tracers: words between entries of one frame',
    entry: 'fgraph_several_tail_entry',
    argument: 10,
    result: 66,
    traced: ['fgraph_tail_first', 'fgraph_tail_second', 'fgraph_tail_third', 'fgraph_leaf'],
    shape: {
      framed: ['fgraph_tail_second', 'fgraph_tail_third'],
      frameless: ['fgraph_tail_first', 'fgraph_leaf', 'fgraph_plain', ...REGISTERING],
    },
    tracers: {
      entry: { framed: DATA.framed, frameless: [...DATA.frameless, 'fgraph_plain_begin'] },
      exit: ['fgraph_data_end', 'fgraph_plain_end'],
    },
    calls: 4,
    tailCalls: 2,
    aligned: 1,
    topics: ['fgraph-ops'],
  },
];

/** Function graph tracing. */
export const family: ScenarioFamily = {
  name: 'fgraph',
  summary: 'traced functions: the entry hook, return_to_handler and what it calls',
  elf: 'fgraph.elf',
  scenarios: [...TRACED.map(traced), ...TRACED.map(recovering)],
};
