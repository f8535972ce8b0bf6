/**
 * Promises about the reliable-stacktrace tests when every instruction of a case is interrupted,
 * from the first call to the last return: patch site, handlers, trampolines and kprobe path
 * included.
 */
import { ENTRY_CODE, EXCEPTION_CODE, insideExceptions, KPROBE_CODE } from '../exception-code.js';
import {
  allowed,
  always,
  boundary,
  mergePromises,
  onOtherKernel,
  RECOVERING,
  sdei,
  seen,
  SHARED_WHY,
  SKIPPING,
  TRUSTING_SDEI,
  under,
  type Promises,
} from '../promise-terms.js';

const WHY = {
  ...SHARED_WHY,
  sdeiEntry: 'SDEI while the kprobe exception is being entered: pt_regs is half built',
  noCfi: 'ftrace_caller and return_to_handler have no SFrame entry',
  noCfiV5: 'no SFrame entry, and the frame record is taken for a metadata record',
  inProbe:
    'inside the exception of the kprobe: its boundary is the same as without the inner exception',
  nested:
    'the first exception came in code without an SFrame entry, or in a callee of the trampoline',
};

/** The functions that return_to_handler calls, over all cases. */
const EXIT_CODE = [
  'ftrace_return_to_handler',
  'fgraph_exit_handler',
  'gops_return_func_nop',
  'gops_return_func_unwind_reliable',
] as const;

/** The functions of a return handler's walk. They also run in other places. */
const WALK_CODE = ['stack_trace_save_tsk_reliable', 'walk_request'] as const;

/** Tracers of a case. */
export interface TracedCase {
  /** An ftrace site is patched. */
  readonly ftrace: boolean;
  /** It is patched for function graph. */
  readonly graph: boolean;
  /** The return handler walks. */
  readonly exitWalks: boolean;
  /** There is a kprobe: its exception is part of the case. */
  readonly probed: boolean;
}

/** SDEI under the policies that take its record for that of a call. */
function atSdei(): Promises {
  return mergePromises(
    under(TRUSTING_SDEI, allowed('missing', sdei, WHY.sdei)),
    under(SKIPPING, allowed('spurious', { ...sdei, in: ENTRY_CODE }, WHY.sdeiEntry)),
  );
}

/**
 * In the exception of a kprobe, where only SDEI can come. The walk meets the kprobe's boundary and
 * what it interrupted, and one more boundary at depth 2.
 */
function insideProbe(graph: boolean): Promises {
  return mergePromises(
    under(
      ['frame-pointer', 'sframe-v6'],
      allowed('unreliable', { kinds: ['sdei'], depth: 1 }, WHY.inProbe),
      allowed('unreliable', { depth: 2 }, WHY.inProbe),
    ),
    graph
      ? mergePromises(
          under(
            ['sframe-v5'],
            allowed('warned', { ...sdei, in: KPROBE_CODE }, WHY.inProbe),
            allowed('warned', { kinds: ['sdei'], depth: 2 }, WHY.inProbe),
          ),
          // The first event came where the kprobe's own pt_regs was half built.
          under(SKIPPING, allowed('spurious', { kinds: ['sdei', 'brk'], depth: 2 }, WHY.sdeiEntry)),
          under(['sframe-strict'], allowed('unreliable', { kinds: ['sdei'] }, WHY.inProbe)),
        )
      : {},
  );
}

/** Promises on the kernel that is like Linux. */
export function casePromises({ ftrace, graph, exitWalks, probed }: TracedCase): Promises {
  const exit = { ...boundary, in: exitWalks ? [...EXIT_CODE, ...WALK_CODE] : EXIT_CODE };
  const noCfi = {
    ...boundary,
    in: graph ? ['ftrace_caller', 'return_to_handler'] : ['ftrace_caller'],
  };
  const trampoline = { ...boundary, in: ['return_to_handler'] } as const;
  return mergePromises(
    atSdei(),
    probed ? insideProbe(graph) : {},
    under(['frame-pointer'], always('unreliable', boundary, WHY.boundary)),
    under(['sframe-v6'], allowed('unreliable', boundary, WHY.alignment)),
    ftrace
      ? mergePromises(
          under(['sframe-v5'], seen('warned', noCfi, WHY.noCfiV5)),
          under(
            ['sframe-v6', 'sframe-strict', ...RECOVERING],
            always('unreliable', { ...boundary, in: ['ftrace_caller'] }, WHY.noCfi),
          ),
        )
      : {},
    graph
      ? mergePromises(
          under(
            ['sframe-v5', 'sframe-strict'],
            seen('missing', { ...boundary, in: EXIT_CODE }, WHY.skipped),
          ),
          under(SKIPPING, allowed('missing', exit, WHY.skipped)),
          under(['sframe-v6', 'sframe-strict'], seen('unreliable', trampoline, WHY.noCfi)),
          under(
            RECOVERING,
            seen('unreliable', trampoline, WHY.window),
            seen('unreliable', { ...boundary, in: ['ftrace_return_to_handler'] }, WHY.window),
          ),
        )
      : {},
    insideExceptions({ unannotated: ftrace }),
    graph ? nestedInGraph() : {},
  );
}

function nestedInGraph(): Promises {
  const nested = { in: EXCEPTION_CODE, depth: 2 } as const;
  return mergePromises(
    under(SKIPPING, allowed('missing', nested, WHY.nested)),
    under(RECOVERING, allowed('unreliable', nested, WHY.nested)),
    under(SKIPPING, allowed('warned', { kinds: ['sdei'], in: ENTRY_CODE, depth: 2 }, WHY.nested)),
  );
}

/**
 * Promises on the fgraph-recover kernel. Under fgraph-recover, every point with unwind data is
 * exact.
 */
export function recoverPromises(): Promises {
  return mergePromises(
    onOtherKernel([...EXIT_CODE, ...WALK_CODE]),
    atSdei(),
    insideProbe(true),
    under(
      ['fgraph-recover'],
      always('unreliable', { ...boundary, in: ['ftrace_caller'] }, WHY.noCfi),
    ),
    insideExceptions({ unannotated: true }),
    nestedInGraph(),
  );
}
