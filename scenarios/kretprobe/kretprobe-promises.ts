/**
 * What is promised of kretprobes. Alone, no style has a point at which an exception that the
 * unwinder knows of leads to a wrong trace that strict calls reliable; the older style has a window
 * in which the address cannot be recovered. With function graph, the wrong ones are function
 * graph's, and those of tail calls, where the two tracers' replacements are in each other's list.
 */
import { ENTRY_CODE, insideExceptions } from '../exception-code.js';
import {
  ALL_POLICIES,
  allowed,
  always,
  BOUNDARY_KINDS,
  mergePromises,
  seen,
  SFRAME_POLICIES,
  under,
  type PolicyName,
  type Promises,
} from '../promise-terms.js';

const WHY = {
  boundary: 'reliable mode gives up at the first exception boundary',
  sdei: 'SDEI pushes a plain record, so a function without a record of its own hides its caller',
  alignment: 'CFA alignment is tested with 0x15, which refuses every CFA with bit 4 set',
  noCfi: 'the trampoline has no SFrame entry',
  noCfiV5: 'no SFrame entry, and the frame record is taken for a metadata record',
  window: 'the instance is unlinked, and x30 does not hold the address or is not asked',
  dropped: 'the address cannot be recovered, and the error of the walk is dropped',
  skipped: "called by return_to_handler: the traced function's caller is skipped",
  mixed: 'tail calls under both tracers: what one replaced is the trampoline of the other',
};

const boundary = { kinds: BOUNDARY_KINDS, depth: 1 } as const;
const RECOVERING: readonly PolicyName[] = ['fgraph-detect', 'fgraph-recover'];
const CAREFUL: readonly PolicyName[] = ['sframe-strict', ...RECOVERING];

/** What the older trampoline calls, the last instructions of which are its window. */
const HANDLER = ['trampoline_probe_handler', '__kretprobe_trampoline_handler'] as const;
const TRAMPOLINE = '__kretprobe_trampoline_regs';
const GRAPH_EXIT = ['ftrace_return_to_handler', 'fgraph_exit_handler'] as const;

/** What is probed, and how. */
export interface ProbedCase {
  readonly style: 'brk' | 'regs';
  readonly graph: boolean;
  readonly tail: boolean;
}

/** Promises of a kretprobe scenario. */
export function kretprobePromises({ style, graph, tail }: ProbedCase): Promises {
  const sdei = { kinds: ['sdei'], depth: 1 } as const;
  return mergePromises(
    under(
      ALL_POLICIES,
      allowed('missing', sdei, WHY.sdei),
      allowed('unreliable', sdei, WHY.boundary),
    ),
    under(
      SFRAME_POLICIES,
      allowed('spurious', { ...sdei, in: ENTRY_CODE }, WHY.sdei),
      allowed('warned', sdei, WHY.noCfiV5),
    ),
    under(['frame-pointer'], always('unreliable', boundary, WHY.boundary)),
    under(['sframe-v6'], allowed('unreliable', boundary, WHY.alignment)),
    style === 'regs' ? olderStyle() : {},
    graph ? withGraph(tail) : {},
    insideExceptions({ unannotated: true }),
  );
}

function olderStyle(): Promises {
  const trampoline = { ...boundary, in: [TRAMPOLINE] } as const;
  const handler = { ...boundary, in: HANDLER } as const;
  return mergePromises(
    under(['sframe-v5'], seen('warned', trampoline, WHY.noCfiV5)),
    under(CAREFUL, seen('unreliable', trampoline, WHY.noCfi)),
    under(CAREFUL, seen('unreliable', handler, WHY.window)),
    under(['sframe-v5'], seen('missing', handler, WHY.dropped)),
    under(
      ['sframe-v6'],
      allowed('missing', { ...boundary, in: [TRAMPOLINE, ...HANDLER] }, WHY.dropped),
    ),
  );
}

function withGraph(tail: boolean): Promises {
  const hook = { ...boundary, in: ['ftrace_caller', 'return_to_handler'] } as const;
  const exit = { ...boundary, in: GRAPH_EXIT } as const;
  return mergePromises(
    under(['sframe-v5'], seen('warned', hook, WHY.noCfiV5)),
    under(CAREFUL, seen('unreliable', hook, WHY.noCfi)),
    under(RECOVERING, seen('unreliable', exit, WHY.window)),
    under(['sframe-v5', 'sframe-strict'], seen('missing', exit, WHY.skipped)),
    under(['sframe-v6'], allowed('missing', exit, WHY.skipped)),
    tail
      ? mergePromises(
          under(['sframe-v5', 'sframe-strict'], seen('missing', boundary, WHY.mixed)),
          under(['sframe-v6'], allowed('missing', boundary, WHY.mixed)),
          under(['sframe-v5'], allowed('warned', boundary, WHY.mixed)),
          under(CAREFUL, seen('unreliable', boundary, WHY.mixed)),
        )
      : {},
  );
}
