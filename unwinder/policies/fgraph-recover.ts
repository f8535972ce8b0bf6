import { Policy } from '../policy.js';

/**
 * fgraph-detect for a kernel whose return path leaves no window. Its return_to_handler moves the
 * original address to x30 while the entry is still on the return stack. It then pops the entry with
 * one store, which only `ret` follows (kernel-model/guest/kernel/entry-ftrace.S).
 *
 * - Up to and including that store, the entry is found by x29, as under fgraph-detect: x29 is that
 *   of the traced function's caller throughout, and the trampoline's C callee pops nothing.
 * - From the label after the store on, x30 in the interrupted registers is the address. The CFI
 *   says so (CFA = SP, RA = x30), and SP and x29 are the caller's. When another traced function had
 *   tail-called this one, x30 is return_to_handler, and the entry of that function is found next.
 * - An SDEI handler's record never comes with x30, so a walk that leaves one is unreliable.
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
