/**
 * Promises about function graph tracing, on either guest kernel.
 *
 * The known bug: return_to_handler has no frame record, and an address inside it is not the one
 * that replaced the return address. A walk from its C callee, or by an SDEI record from the middle
 * of the trampoline, continues with the caller's caller. It skips the traced function's caller,
 * which will run again. Only fgraph-detect and fgraph-recover look up any address inside the
 * trampoline on the return stack. They also refuse what SDEI interrupted, so nothing is ever
 * missing under them.
 */
import { ENTRY_CODE, EXCEPTION_CODE, insideExceptions } from '../exception-code.js';
import {
  allowed,
  always,
  boundary,
  BOUNDARY_KINDS,
  exact,
  merge,
  mergePromises,
  RECOVERING,
  sdei,
  seen,
  SHARED_WHY,
  SKIPPING,
  someExact,
  TRUSTING_SDEI,
  under,
  type Promises,
} from '../promise-terms.js';
import { promisesFor, type CodeShape } from '../promises.js';
import { EXIT_HANDLER, LINUX, RECOVER, type ReturnPath } from './return-path.js';
import type { PolicyPromise } from '../scenario.js';

const WHY = {
  ...SHARED_WHY,
  hookRecords:
    'ftrace_caller has no complete records yet, or has restored x29: the traced function is hidden',
  hookLinked: 'both records are linked: one for the traced function, one for ftrace_caller',
  hookNoCfi: 'ftrace_caller has no SFrame entry',
  hookNoCfiV5:
    'ftrace_caller has no SFrame entry, and its frame record is taken for a metadata record',
  trampolineCaller:
    'all that a plain record can hide is an address in ftrace_caller, which is optional',
  trampolineNoCfi: 'return_to_handler has no SFrame entry',
  trampolineNoCfiV5:
    'return_to_handler has no SFrame entry, and the record is taken for a metadata record',
  recovered: 'the entry is still on the return stack: found by retp from any address inside',
  below: 'the first exception came in a callee of return_to_handler',
  unfinished:
    'SDEI before PC is stored: stale data leads to return_to_handler in x30 with the wrong x29',
  noWindow: 'the entry is on the return stack until x30 holds the address, and then CFI says so',
  windowBelow: 'the first exception came in the transient window',
};

/** The C code that return_to_handler runs. */
const EXIT_CODE = ['ftrace_return_to_handler', 'fgraph_exit_handler'] as const;

/**
 * Code that the entry hook and the return path run besides ftrace_caller. All of it has SFrame
 * rows.
 */
const TRACER_CODE = [
  'ftrace_graph_func',
  'function_graph_enter',
  'fgraph_entry_handler',
  'return_to_handler',
  ...EXIT_CODE,
] as const;

/** The functions of both kinds. */
function all({ framed, frameless = [] }: CodeShape): readonly string[] {
  return [...framed, ...frameless];
}

/** The entry hook, which runs `calls` times. 35 of its instructions are in ftrace_caller. */
function entryHook({ calls, tracers }: TracedCalls): Promises {
  const handlers = ['fgraph_entry_handler', ...(tracers === undefined ? [] : all(tracers.entry))];
  const hook = { in: ['ftrace_caller'] } as const;
  return mergePromises(
    under(
      TRUSTING_SDEI,
      seen('missing', { ...sdei, ...hook }, WHY.hookRecords, 21 * calls),
      someExact({ ...sdei, ...hook, atLeast: 14 * calls }, WHY.hookLinked),
      exact({ ...sdei, in: ['ftrace_graph_func'] }, WHY.trampolineCaller),
    ),
    under(['sframe-v5'], always('warned', { ...boundary, ...hook }, WHY.hookNoCfiV5)),
    under(
      ['sframe-v6', 'sframe-strict', ...RECOVERING],
      always('unreliable', { ...boundary, ...hook }, WHY.hookNoCfi),
    ),
    under(
      ['sframe-v6'],
      allowed(
        'unreliable',
        {
          ...boundary,
          in: ['ftrace_graph_func', 'return_to_handler', ...EXIT_CODE, ...(tracers?.exit ?? [])],
        },
        WHY.alignment,
      ),
    ),
    under(
      ['sframe-v5', 'sframe-strict', ...RECOVERING],
      exact(
        { ...boundary, in: ['ftrace_graph_func', 'function_graph_enter', ...handlers] },
        'C code with CFI',
      ),
    ),
  );
}

/** What a scenario runs, and how often. */
export interface TracedCalls {
  readonly entry: string;
  /** The functions other than those of the tracer. */
  readonly shape: CodeShape;
  /** Tracers besides the usual one: what their entry handlers run, and their return handlers. */
  readonly tracers?: { readonly entry: CodeShape; readonly exit: readonly string[] };
  /** Number of traced calls, and how many of them were tail-called. */
  readonly calls: number;
  readonly tailCalls?: number;
  /**
   * Number of traced calls in whose return path v6's alignment test accepts every CFA, which
   * depends on the depth of the stack. In the return path of the others it refuses them all.
   */
  readonly aligned: number;
}

/** return_to_handler and its callees, under the policies that have the bug. */
function skippedCaller({ calls, aligned, tracers }: TracedCalls, path: ReturnPath): Promises {
  const trampoline = { in: ['return_to_handler'] } as const;
  // All but the trampoline's first instruction, whose address is the one that the unwinder looks
  // for.
  const missed = (path.trampoline - 1) * calls;
  const refused = (path.trampoline - 1 - path.annotated) * calls;
  const exitCode = [...EXIT_CODE, ...(tracers?.exit ?? [])];
  const exit = { ...boundary, in: exitCode } as const;
  const skipped = path.callee + EXIT_HANDLER;
  return mergePromises(
    under(
      TRUSTING_SDEI,
      always('missing', { ...sdei, in: exitCode }, WHY.skipped),
      seen('missing', { ...sdei, ...trampoline }, WHY.skipped, missed),
    ),
    under(['sframe-v5', 'sframe-strict'], always('missing', exit, WHY.skipped)),
    // Wherever the alignment test accepts the CFA, see above.
    under(
      ['sframe-v6'],
      aligned === 0
        ? always('unreliable', exit, WHY.alignment)
        : seen('missing', exit, WHY.skipped, 4 * skipped * aligned),
    ),
    under(
      ['sframe-v5'],
      seen('warned', { ...boundary, ...trampoline }, WHY.trampolineNoCfiV5, 4 * refused),
    ),
    under(
      ['sframe-v6', 'sframe-strict'],
      seen('unreliable', { ...boundary, ...trampoline }, WHY.trampolineNoCfi, 4 * refused),
    ),
    under(
      SKIPPING,
      allowed('missing', { kinds: BOUNDARY_KINDS, in: EXCEPTION_CODE, depth: 2 }, WHY.below),
    ),
  );
}

/**
 * The same, under the policies that look up any address inside the trampoline on the return stack:
 * never missing, and unreliable in the window.
 */
function detected({ calls, tailCalls = 0, tracers }: TracedCalls, path: ReturnPath): PolicyPromise {
  const callee = { ...boundary, in: ['ftrace_return_to_handler'] } as const;
  // When a call was tail-called, its caller's entry still says where control goes: no window.
  const windows = calls - tailCalls;
  return merge(
    exact({ ...boundary, in: ['fgraph_exit_handler', ...(tracers?.exit ?? [])] }, WHY.recovered),
    path.calleeWindow === 0
      ? exact(callee, WHY.recovered)
      : merge(
          seen('unreliable', callee, WHY.window, 4 * path.calleeWindow * windows),
          someExact(
            { ...callee, atLeast: 4 * (path.callee - path.calleeWindow) * calls },
            WHY.recovered,
          ),
        ),
  );
}

/** The trampoline itself, which is unreliable in the window. */
function detectedTrampoline(
  { calls, tailCalls = 0 }: TracedCalls,
  path: ReturnPath,
): PolicyPromise {
  const points = { ...boundary, in: ['return_to_handler'] } as const;
  const { trampoline, trampolineWindow } = path;
  return merge(
    seen('unreliable', points, WHY.window, 4 * trampolineWindow * (calls - tailCalls)),
    someExact({ ...points, atLeast: 4 * (trampoline - trampolineWindow) * calls }, WHY.recovered),
  );
}

/** The first exception came in the window. */
const belowWindow = allowed('unreliable', { in: EXCEPTION_CODE, depth: 2 }, WHY.windowBelow);

/** What holds on both kernels. */
function onBoth(of: TracedCalls, path: ReturnPath): Promises {
  return mergePromises(
    promisesFor({
      framed: [
        of.entry,
        ...of.shape.framed,
        ...(of.tracers?.entry.framed ?? []),
        'function_graph_enter',
      ],
      frameless: [
        ...(of.shape.frameless ?? []),
        ...(of.tracers?.entry.frameless ?? []),
        'fgraph_entry_handler',
      ],
    }),
    entryHook(of),
    skippedCaller(of, path),
    under(RECOVERING, detected(of, path)),
    insideExceptions({ unannotated: true }),
    under(
      ['sframe-v5', 'sframe-strict'],
      allowed('warned', { kinds: ['sdei'], in: ENTRY_CODE, depth: 2 }, WHY.unfinished),
    ),
  );
}

/**
 * Promises on the kernel that is like Linux. Nothing in it says where x30 takes over, so
 * fgraph-recover does what fgraph-detect does.
 */
export function onLinux(of: TracedCalls): Promises {
  return mergePromises(
    onBoth(of, LINUX),
    under(RECOVERING, detectedTrampoline(of, LINUX), belowWindow),
  );
}

/**
 * Promises on the kernel whose return path always keeps the address somewhere. A policy that does
 * not know this still has the bug; fgraph-detect has a window of one instruction.
 */
export function onRecover(of: TracedCalls): Promises {
  const scenarioCode = [of.entry, ...all(of.shape)];
  return mergePromises(
    onBoth(of, RECOVER),
    under(['fgraph-detect'], detectedTrampoline(of, RECOVER), belowWindow),
    under(
      ['fgraph-recover'],
      exact({ ...boundary, in: scenarioCode }, 'C code with CFI'),
      exact({ ...boundary, in: [...TRACER_CODE, ...(of.tracers?.exit ?? [])] }, WHY.noWindow),
    ),
  );
}
