import { Policy } from '../policy.js';

/**
 * fgraph-detect for a kernel whose return path leaves no window. Its return_to_handler moves the
 * original address to x30 while the entry is still on the return stack, and pops the entry with one
 * store, after which nothing but `ret` follows (kernel-model/guest/kernel/entry-ftrace.S).
 *
 * - Up to and including that store the entry is found by x29, as under fgraph-detect: x29 is the
 *   traced function's caller's throughout, and the C callee of the trampoline pops nothing.
 * - From the label after the store on, x30 of the interrupted registers is the address. CFI says so
 *   (CFA = SP, RA = x30), and SP and x29 are the caller's. When the traced function was tail-called
 *   by another traced one, x30 is return_to_handler, and that one's entry is found in turn.
 * - An SDEI record has no x30 with it, there or anywhere: a walk that leaves one is unreliable.
 *
 * On a kernel without the label this is fgraph-detect.
 */
export const fgraphRecover = new Policy({
  name: 'fgraph-recover',
  boundaryStep: 'sframe',
  reliableBoundary: 'walk-on',
  sframeSp: 'regs',
  sframeElsewhere: 'never',
  lookupFailure: 'error',
  outermost: 'error',
  cfaMask: 0xf,
  walkError: 'returned',
  markAtEnd: 'honoured',
  graphTrampoline: 'until-popped',
  sdeiRecord: 'unreliable',
});
