import { Policy } from '../policy.js';

/**
 * sframe-strict, plus: a PC anywhere inside return_to_handler is recovered through the return
 * stack (entry with retp == fp), and when it cannot be the walk is unreliable. The unreliable
 * mark counts at the end of the trace, too. And a walk that leaves an SDEI handler is unreliable.
 *
 * Can it call a wrong trace reliable? R is the address the traced function T returns to, in its
 * caller C, whose frame record is F: T's entry is {ret R, retp F}, and return_to_handler runs, and
 * calls ftrace_return_to_handler, with x29 == F throughout.
 *
 * - Entry still on the stack: the match is T's own, or below entries of T's tail-call chain, which
 *   say ret == return_to_handler and are passed over. Exact. Entries of code that interrupted the
 *   trampoline lie above and have a retp of their own frames, never F.
 * - Entry popped (the window), no tail call: no live entry has retp F, so nothing matches and the
 *   walk is unreliable. The slot may be reused by an interrupting handler: again not with F.
 * - Entry popped, T was tail-called by S: S's entry {R, F} is still there and R is still the one
 *   pending address: the trampoline is about to be entered a second time. Exact.
 * - Entry popped and an outer entry {R0, F} of something that is *not* T's tail-caller: R0 would
 *   be reported and R missed. It takes a traced function that calls T with its caller's x29, that
 *   is, one that makes calls without a frame record of its own. Every frame-pointer walk through
 *   such a function loses R0 wherever it starts, so that none exists is what all these policies
 *   already rest on, and C having the record F (the next step here) is the same assumption.
 * - The original address is return_to_handler again after a kretprobe was undone: the order of
 *   the two tracers is then unknown, and the walk is unreliable.
 *
 * After recovery from registers the next step is by frame record: C was calling, so F is C's, and
 * the SP of the registers may be 112 bytes into the trampoline's frame.
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
