/**
 * Kretprobes of both styles, alone and on functions that function graph traces, too: the breakpoint
 * at the entry and its single step, the trampoline, and the handler that undoes it.
 * docs/kretprobe-window.md has the results.
 *
 * On one function the kretprobe comes first: its breakpoint is on the landing pad, before the patch
 * site, so function graph finds the kretprobe's trampoline in x30. The other order takes a tail
 * call: the probed function is entered with return_to_handler already in x30.
 */
import { kretprobePromises } from './kretprobe-promises.js';
import type { KretprobeSite, Scenario, ScenarioFamily } from '../scenario.js';
import { withPromises } from '../with-promises.js';

interface ProbedCall {
  readonly name: string;
  readonly summary: string;
  readonly entry: string;
  readonly argument: number;
  readonly result: number;
  readonly probed: readonly string[];
  /** Probed entries with the real address in x30: all but the tail-called ones. */
  readonly entries: number;
  /** How often the trampoline runs. */
  readonly returns: number;
  /** Functions that function graph traces; default none. */
  readonly traced?: readonly string[];
  /** A task that is walked while it is blocked in a probed function. */
  readonly walkTask?: string;
  readonly depth?: 2;
  /** A probed function is tail-called by a traced one. */
  readonly graphFirst?: boolean;
}

const CALLS: readonly ProbedCall[] = [
  {
    name: 'leaf',
    summary: 'a probed leaf: its return address is on the list of instances only',
    entry: 'kretprobe_leaf_entry',
    argument: 10,
    result: 31,
    probed: ['kretprobe_leaf'],
    entries: 1,
    returns: 1,
    depth: 2,
  },
  {
    name: 'callee',
    summary: 'a probed function with a frame: the trampoline is found in its record',
    entry: 'kretprobe_callee_entry',
    argument: 10,
    result: 19,
    probed: ['kretprobe_callee'],
    entries: 1,
    returns: 1,
  },
  {
    name: 'nested',
    summary: 'probed functions that call probed functions',
    entry: 'kretprobe_outer_entry',
    argument: 10,
    result: 50,
    probed: ['kretprobe_outer', 'kretprobe_leaf', 'kretprobe_callee'],
    entries: 3,
    returns: 3,
  },
  {
    name: 'recurse',
    summary: 'a probed recursion: instances of one function, told apart by their frames',
    entry: 'kretprobe_recurse_entry',
    argument: 3,
    result: 6,
    probed: ['kretprobe_recurse'],
    entries: 4,
    returns: 4,
  },
  {
    name: 'tail',
    summary: 'probed tail calls: several instances of one frame, the oldest is right',
    entry: 'kretprobe_tail_entry',
    argument: 10,
    result: 67,
    probed: ['kretprobe_tail_first', 'kretprobe_tail_second', 'kretprobe_leaf'],
    entries: 1,
    returns: 1,
  },
  {
    name: 'tail-called',
    summary: 'a probed function that is tail-called, by functions that are not probed',
    entry: 'kretprobe_tail_entry',
    argument: 10,
    result: 67,
    probed: ['kretprobe_leaf'],
    entries: 1,
    returns: 1,
  },
  {
    name: 'tail-calling',
    summary: 'a probed function that ends in a tail call: another one returns to its trampoline',
    entry: 'kretprobe_tail_entry',
    argument: 10,
    result: 67,
    probed: ['kretprobe_tail_first'],
    entries: 1,
    returns: 1,
  },
  {
    name: 'blocked',
    summary: 'another task is blocked in a probed function: no exception in its trace',
    entry: 'kretprobe_blocked_entry',
    argument: 7,
    result: 14,
    probed: ['kretprobe_sleep'],
    entries: 1,
    returns: 0,
    walkTask: 'kw_task_a',
  },
];

/** The cases that are repeated under function graph, with all probed functions traced. */
const BOTH = ['leaf', 'callee', 'nested', 'recurse', 'tail', 'blocked'];

/** Tracers on different functions. */
const MIXED: readonly ProbedCall[] = [
  {
    name: 'probe-then-graph',
    summary: 'a probed function tail-calls a traced one: the trampoline is on the return stack',
    entry: 'kretprobe_tail_entry',
    argument: 10,
    result: 67,
    probed: ['kretprobe_tail_first'],
    entries: 1,
    returns: 1,
    traced: ['kretprobe_leaf'],
  },
  {
    name: 'graph-then-probe',
    summary: 'a traced function tail-calls a probed one: the instance holds return_to_handler',
    entry: 'kretprobe_tail_entry',
    argument: 10,
    result: 67,
    probed: ['kretprobe_leaf'],
    entries: 1,
    returns: 1,
    graphFirst: true,
    traced: ['kretprobe_tail_first'],
  },
  {
    name: 'graph-then-probe-blocked',
    summary: 'the same, walked while blocked in the probed function: wrong without any exception',
    entry: 'kretprobe_blocked_entry',
    argument: 7,
    result: 14,
    probed: ['kretprobe_sleep'],
    entries: 1,
    returns: 0,
    graphFirst: true,
    traced: ['kretprobe_tail_sleep'],
    walkTask: 'kw_task_a',
  },
];

type Style = KretprobeSite['style'];
const STYLES: readonly Style[] = ['brk', 'regs'];

/** With function graph on the probed functions. */
const GRAPHED = CALLS.filter(({ name }) => BOTH.includes(name)).map((call) => ({
  ...call,
  name: `${call.name}-fgraph`,
  summary: `${call.summary}; also under function graph`,
  traced: call.probed,
  graphFirst: call.name === 'tail',
}));

function scenarioOf(call: ProbedCall, style: Style, kernel?: 'fgraph-recover'): Scenario {
  const { traced = [], probed, entries, returns, walkTask, depth, graphFirst = false } = call;
  const graph = traced.length > 0;
  return withPromises(
    {
      name: `kretprobe/${kernel === undefined ? '' : 'recover-'}${style}-${call.name}`,
      summary: call.summary,
      entry: call.entry,
      args: [{ number: call.argument }],
      result: call.result,
      traced,
      kretprobes: probed.map((symbol) => ({ symbol, style })),
      ...(walkTask === undefined ? {} : { walkTask }),
      ...(depth === undefined || graph ? {} : { depth }),
      ...(kernel === undefined ? {} : { kernel }),
      topics: graph ? ['kretprobe', 'fgraph'] : ['kretprobe'],
    },
    () =>
      kretprobePromises({
        style,
        entries,
        returns,
        graph,
        graphFirst,
        blocked: walkTask !== undefined,
        recover: kernel !== undefined,
      }),
  );
}

/** Kretprobes. */
export const family: ScenarioFamily = {
  name: 'kretprobe',
  summary: 'functions with a kretprobe: trampolines of both styles, alone and with function graph',
  elf: 'kretprobe.elf',
  scenarios: STYLES.flatMap((style) => [
    ...[...CALLS, ...GRAPHED, ...MIXED].map((call) => scenarioOf(call, style)),
    ...[...GRAPHED, ...MIXED].map((call) => scenarioOf(call, style, 'fgraph-recover')),
  ]),
};
