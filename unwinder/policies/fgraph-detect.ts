import { Policy } from '../policy.js';

/**
 * As sframe-strict, with three additions. A PC anywhere inside return_to_handler is recovered
 * through the return stack (entry with retp == fp); when that fails, the walk is unreliable. The
 * unreliable mark also counts at the end of the trace. A walk that leaves an SDEI handler is
 * unreliable.
 *
 * Can it call a wrong trace reliable? Let T be the traced function, C its caller, F the frame
 * record of C, and R the address in C to which T returns. T's entry is then {ret R, retp F}, and
 * return_to_handler runs, and calls ftrace_return_to_handler, with x29 == F throughout.
 *
 * - The entry is still on the stack: the match is T's entry, or, when T was tail-called, the oldest
 *   entry of its chain; the newer ones have ret == return_to_handler and are skipped. Exact. Code
 *   that interrupted the trampoline may have entries above, but with a retp in its own frames,
 *   never F.
 * - The entry is popped (the window), no tail call: no live entry has retp F, so nothing matches
 *   and the walk is unreliable. An interrupting handler may reuse the slot, but again not with F.
 * - The entry is popped, and S tail-called T: S's entry {R, F} is still there, and R is still the
 *   address to return to, because the trampoline is about to be entered a second time. Exact.
 * - The entry is popped, and an outer entry {R0, F} is *not* that of T's tail-caller: R0 would be
 *   reported and R missed. That takes a traced function that calls T with its own caller's x29: one
 *   that makes calls without a frame record. Every frame-pointer walk through such a function loses
 *   R0, wherever it starts. All these policies already assume that no such function exists: the
 *   next step, by C's record F, relies on it, too.
 * - Undoing a kretprobe gives return_to_handler again: the order of the two tracers is then
 *   unknown, and the walk is unreliable.
 *
 * After a recovery from registers the next step is by frame record. C was in a call, so F is its
 * record; and the SP in the registers may be 112 bytes down, in the trampoline's frame.
 */
export const fgraphDetect = new Policy({
  name: 'fgraph-detect',
  boundaryStep: 'sframe',
  reliableBoundary: 'walk-on',
  sframeSp: 'regs',
  sframeElsewhere: 'never',
  lookupFailure: 'error',
  outermost: 'error',
  cfaMask: 0xf,
  walkError: 'returned',
  markAtEnd: 'honoured',
  graphTrampoline: 'any-byte',
  sdeiRecord: 'unreliable',
});
