/**
 * Kretprobes, of both styles, alone and on functions that function graph traces, too: the breakpoint
 * at the entry and its single step, the trampoline, and the handler that undoes it.
 */
import { kretprobePromises } from './kretprobe-promises.js';
import type { KretprobeSite, Scenario, ScenarioFamily } from '../scenario.js';

interface ProbedCall {
  readonly name: string;
  readonly summary: string;
  readonly entry: string;
  readonly argument: number;
  readonly result: number;
  readonly probed: readonly string[];
}

const CALLS: readonly ProbedCall[] = [
  {
    name: 'leaf',
    summary: 'a probed leaf: its return address is on the list of instances only',
    entry: 'kretprobe_leaf_entry',
    argument: 10,
    result: 31,
    probed: ['kretprobe_leaf'],
  },
  {
    name: 'callee',
    summary: 'a probed function with a frame: the trampoline is found in its record',
    entry: 'kretprobe_callee_entry',
    argument: 10,
    result: 19,
    probed: ['kretprobe_callee'],
  },
  {
    name: 'nested',
    summary: 'probed functions that call probed functions',
    entry: 'kretprobe_outer_entry',
    argument: 10,
    result: 50,
    probed: ['kretprobe_outer', 'kretprobe_leaf', 'kretprobe_callee'],
  },
  {
    name: 'recurse',
    summary: 'a probed recursion: instances of one function, told apart by their frames',
    entry: 'kretprobe_recurse_entry',
    argument: 3,
    result: 6,
    probed: ['kretprobe_recurse'],
  },
  {
    name: 'tail',
    summary: 'probed tail calls: several instances of one frame, the oldest is right',
    entry: 'kretprobe_tail_entry',
    argument: 10,
    result: 67,
    probed: ['kretprobe_tail_first', 'kretprobe_tail_second', 'kretprobe_leaf'],
  },
];

type Style = KretprobeSite['style'];
const STYLES: readonly Style[] = ['brk', 'regs'];

function scenarioOf(call: ProbedCall, style: Style, graph: boolean): Scenario {
  return {
    name: `kretprobe/${style}-${call.name}${graph ? '-fgraph' : ''}`,
    summary: `${call.summary}${graph ? '; under function graph, too' : ''}`,
    entry: call.entry,
    args: [{ number: call.argument }],
    result: call.result,
    traced: graph ? call.probed : [],
    kretprobes: call.probed.map((symbol) => ({ symbol, style })),
    promises: kretprobePromises({ style, graph, tail: call.name === 'tail' }),
    topics: graph ? ['kretprobe', 'fgraph'] : ['kretprobe'],
  };
}

/** Kretprobes. */
export const family: ScenarioFamily = {
  name: 'kretprobe',
  summary: 'functions with a kretprobe: trampolines of both styles, alone and with function graph',
  elf: 'kretprobe.elf',
  scenarios: STYLES.flatMap((style) =>
    [false, true].flatMap((graph) => CALLS.map((call) => scenarioOf(call, style, graph))),
  ),
};
