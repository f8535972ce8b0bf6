/**
 * Function graph tracing: every instruction of the entry hook (patch site, ftrace_caller,
 * function_graph_enter), of return_to_handler and of the C code it calls.
 *
 * The known bug: return_to_handler keeps no frame record, and an address inside it is not the one
 * that was put in place of the return address. A walk from its C callee, or from the middle of it
 * by an SDEI record, goes on with the caller's caller: the traced function's caller is skipped, and
 * it will run again. Only fgraph-detect takes any address inside the trampoline to the return stack.
 */
import { ENTRY_CODE, EXCEPTION_CODE, insideExceptions } from '../exception-code.js';
import {
  ALL_POLICIES,
  allowed,
  always,
  BOUNDARY_KINDS,
  exact,
  merge,
  mergePromises,
  seen,
  SFRAME_POLICIES,
  under,
  type PolicyName,
  type Promises,
} from '../promise-terms.js';
import { promisesFor, type CodeShape } from '../promises.js';
import type { PolicyPromise, RequiredVerdict, Scenario, ScenarioFamily } from '../scenario.js';

const WHY = {
  hookRecords:
    'ftrace_caller has no complete records yet, or has restored x29: the traced function is hidden',
  hookLinked: 'both records are linked: one for the traced function, one for ftrace_caller',
  hookNoCfi: 'ftrace_caller has no SFrame entry',
  hookNoCfiV5:
    'ftrace_caller has no SFrame entry, and its frame record is taken for a metadata record',
  trampolineCaller:
    'all that a plain record can hide is an address in ftrace_caller, which is optional',
  skipped:
    "an address inside return_to_handler is not recovered: the traced function's caller is skipped",
  exitNoRecord:
    'SDEI: the C callee of return_to_handler has no record of its own at this instruction',
  trampolineNoCfi: 'return_to_handler has no SFrame entry',
  trampolineNoCfiV5:
    'return_to_handler has no SFrame entry, and the record is taken for a metadata record',
  window:
    'transient window: the entry is popped, and x30 does not hold the address or is not asked',
  recovered: 'the entry is still on the return stack: found by retp from any address inside',
  alignment: 'CFA alignment is tested with 0x15, which refuses every CFA with bit 4 set',
  below: 'the first exception came in a callee of return_to_handler',
  unfinished:
    'SDEI before PC is stored: what lay there leads to return_to_handler in x30 with the wrong x29',
  noWindow: 'the entry is on the return stack until x30 holds the address, and then CFI says so',
  poppedSdei: 'SDEI right after the entry was popped: a plain record has no x30 with it',
  otherKernel: 'this kernel is for fgraph-recover',
  windowBelow: 'the first exception came in the transient window',
};

/** The C code that return_to_handler runs. */
const EXIT_CODE = ['ftrace_return_to_handler', 'fgraph_exit_handler'] as const;

const SKIPPING: readonly PolicyName[] = ['sframe-v5', 'sframe-v6', 'sframe-strict'];

const sdei = { kinds: ['sdei'], depth: 1 } as const;
const boundary = { kinds: BOUNDARY_KINDS, depth: 1 } as const;

function someExact(
  points: Omit<RequiredVerdict, 'verdict' | 'reason'>,
  reason: string,
): PolicyPromise {
  return { require: [{ verdict: 'exact', ...points, reason }] };
}

/** The entry hook; it runs `calls` times. 34 instructions of it are ftrace_caller's. */
function entryHook(calls: number): Promises {
  const hook = { in: ['ftrace_caller'] } as const;
  return mergePromises(
    under(
      ALL_POLICIES,
      seen('missing', { ...sdei, ...hook }, WHY.hookRecords, 21 * calls),
      someExact({ ...sdei, ...hook, atLeast: 13 * calls }, WHY.hookLinked),
      exact({ ...sdei, in: ['ftrace_graph_func'] }, WHY.trampolineCaller),
    ),
    under(['sframe-v5'], always('warned', { ...boundary, ...hook }, WHY.hookNoCfiV5)),
    under(
      ['sframe-v6', 'sframe-strict', 'fgraph-detect', 'fgraph-recover'],
      always('unreliable', { ...boundary, ...hook }, WHY.hookNoCfi),
    ),
    under(
      ['sframe-v6'],
      allowed(
        'unreliable',
        { ...boundary, in: ['ftrace_graph_func', 'return_to_handler', ...EXIT_CODE] },
        WHY.alignment,
      ),
    ),
    under(
      ['sframe-v5', 'sframe-strict', 'fgraph-detect', 'fgraph-recover'],
      exact({ ...boundary, in: ['ftrace_graph_func', 'function_graph_enter'] }, 'C code with CFI'),
    ),
  );
}

/** return_to_handler and its callees under the policies that have the bug. */
function skippedCaller(calls: number): Promises {
  const trampoline = { in: ['return_to_handler'] } as const;
  // All but the trampoline's first instruction, whose address is the one that is looked for.
  const missed = 14 * calls;
  return mergePromises(
    under(
      ['frame-pointer', ...SKIPPING],
      always('missing', { ...sdei, in: EXIT_CODE }, WHY.skipped),
      seen('missing', { ...sdei, ...trampoline }, WHY.skipped, missed),
    ),
    under(
      ['sframe-v5', 'sframe-strict'],
      always('missing', { ...boundary, in: EXIT_CODE }, WHY.skipped),
    ),
    // Where the alignment test lets it through, see above: that depends on the depth of the stack.
    under(['sframe-v6'], allowed('missing', { ...boundary, in: EXIT_CODE }, WHY.skipped)),
    under(
      ['sframe-v5'],
      seen('warned', { ...boundary, ...trampoline }, WHY.trampolineNoCfiV5, 4 * missed),
    ),
    under(
      ['sframe-v6', 'sframe-strict'],
      seen('unreliable', { ...boundary, ...trampoline }, WHY.trampolineNoCfi, 4 * missed),
    ),
    under(
      SKIPPING,
      allowed('missing', { kinds: BOUNDARY_KINDS, in: EXCEPTION_CODE, depth: 2 }, WHY.below),
    ),
  );
}

/**
 * The same under fgraph-detect: never missing, but for what an SDEI record hides. On this kernel
 * fgraph-recover is no different, as nothing says where x30 takes over.
 * @param windows calls that were not tail-called: for one that was, its caller's entry still says
 * where control goes, and there is no window
 */
function detected(calls: number, windows: number): PolicyPromise {
  const trampoline = { in: ['return_to_handler'] } as const;
  const callee = { in: ['ftrace_return_to_handler'] } as const;
  return merge(
    // The last 7 instructions of the trampoline, and the last 6 of its callee.
    seen('unreliable', { ...boundary, ...trampoline }, WHY.window, 4 * 7 * windows),
    seen('unreliable', { ...sdei, ...trampoline }, WHY.window, 7 * windows),
    someExact({ ...boundary, ...trampoline, atLeast: 4 * 8 * calls }, WHY.recovered),
    someExact({ ...sdei, ...trampoline, atLeast: 8 * calls }, WHY.recovered),
    seen('unreliable', { ...boundary, ...callee }, WHY.window, 4 * 6 * windows),
    seen('unreliable', { ...sdei, ...callee }, WHY.window, 4 * windows),
    someExact({ ...boundary, ...callee, atLeast: 4 * 38 * calls }, WHY.recovered),
    someExact({ ...sdei, ...callee, atLeast: 35 * calls }, WHY.recovered),
    exact({ ...boundary, in: ['fgraph_exit_handler'] }, WHY.recovered),
    seen('missing', { ...sdei, ...callee }, WHY.exitNoRecord, 5 * calls),
    always('missing', { ...sdei, in: ['fgraph_exit_handler'] }, WHY.exitNoRecord),
    allowed('unreliable', { in: EXCEPTION_CODE, depth: 2 }, WHY.windowBelow),
  );
}

interface TracedScenario {
  readonly name: string;
  readonly summary: string;
  readonly entry: string;
  readonly argument: number;
  readonly result: number;
  readonly traced: readonly string[];
  /** The functions besides those of the tracer. */
  readonly shape: CodeShape;
  /** Traced calls, and those of them that were tail-called. */
  readonly calls: number;
  readonly tailCalls?: number;
  readonly depth?: 2;
  /** Besides the family's own. */
  readonly topics?: readonly string[];
}

function traced(of: TracedScenario): Scenario {
  const { calls, tailCalls = 0, shape } = of;
  return {
    name: `fgraph/${of.name}`,
    summary: of.summary,
    entry: of.entry,
    args: [{ number: of.argument }],
    result: of.result,
    traced: of.traced,
    ...(of.depth === undefined ? {} : { depth: of.depth }),
    promises: mergePromises(
      promisesFor({
        framed: [of.entry, ...shape.framed, 'function_graph_enter'],
        frameless: [...(shape.frameless ?? []), 'fgraph_entry_handler'],
      }),
      entryHook(calls),
      skippedCaller(calls),
      under(['fgraph-detect', 'fgraph-recover'], detected(calls, calls - tailCalls)),
      insideExceptions({ unannotated: true }),
      under(
        SFRAME_POLICIES,
        allowed('warned', { kinds: ['sdei'], in: ENTRY_CODE, depth: 2 }, WHY.unfinished),
      ),
    ),
    topics: ['fgraph', 'ftrace', ...(of.topics ?? [])],
  };
}

/** Code that the entry hook and the return path run besides ftrace_caller: all of it has rules. */
const TRACER_CODE = [
  'ftrace_graph_func',
  'function_graph_enter',
  'fgraph_entry_handler',
  'return_to_handler',
  ...EXIT_CODE,
] as const;

/** The same on the kernel whose return path never leaves the address in no place at all. */
function recovering(of: TracedScenario): Scenario {
  const { calls, shape } = of;
  const trampoline = { in: ['return_to_handler'] } as const;
  const scenarioCode = [of.entry, ...shape.framed, ...(shape.frameless ?? [])];
  const others = ALL_POLICIES.filter((policy) => policy !== 'fgraph-recover');
  return {
    ...traced(of),
    name: `fgraph/recover-${of.name}`,
    summary: `${of.summary}; the entry is popped once x30 holds the address`,
    kernel: 'fgraph-recover',
    promises: mergePromises(
      // Judged on the kernel they are made for; here only that nothing is called reliable elsewhere.
      under(
        others,
        allowed('missing', {}, WHY.otherKernel),
        allowed('spurious', {}, WHY.otherKernel),
      ),
      under(
        others,
        allowed('unreliable', {}, WHY.otherKernel),
        allowed('warned', {}, WHY.otherKernel),
      ),
      under(
        ['fgraph-recover'],
        exact({ ...boundary, in: scenarioCode }, 'C code with CFI'),
        exact({ ...boundary, in: TRACER_CODE }, WHY.noWindow),
        always('unreliable', { ...boundary, in: ['ftrace_caller'] }, WHY.hookNoCfi),
        seen('unreliable', { ...sdei, ...trampoline }, WHY.poppedSdei, 1),
        someExact({ ...sdei, ...trampoline, atLeast: 17 * calls }, WHY.recovered),
        allowed('missing', { ...sdei, in: ['ftrace_caller'] }, WHY.hookRecords),
        allowed('missing', { ...sdei, in: [...scenarioCode, ...TRACER_CODE] }, WHY.exitNoRecord),
      ),
      insideExceptions({ unannotated: true }),
      under(
        ['fgraph-recover'],
        allowed(
          'unreliable',
          { kinds: ['sdei', 'brk'], in: EXCEPTION_CODE, depth: 2 },
          WHY.poppedSdei,
        ),
        allowed('warned', { kinds: ['sdei'], in: ENTRY_CODE, depth: 2 }, WHY.unfinished),
      ),
    ),
    topics: ['fgraph', 'ftrace', 'recover', ...(of.topics ?? [])],
  };
}

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
  },
];

/** Function graph tracing. */
export const family: ScenarioFamily = {
  name: 'fgraph',
  summary: 'traced functions: the entry hook, return_to_handler and what it calls',
  elf: 'fgraph.elf',
  scenarios: [...TRACED.map(traced), ...TRACED.map(recovering)],
};
