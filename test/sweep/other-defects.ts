/** Defects in the unwinder, in ground truth, and in what the host knows of the kernel. */
import { type Defect, nested, roleDefect, slices, truthDefect, unwinderDefect } from './defect.js';
import type { Slice } from './defect-sweep.js';

const RECOVER = slices('fgraph/recover-leaf');
const BOTTOM = slices('calls/record-bottom');

/** An event in the handling of an event. */
const NESTED: Slice = { ...nested('entry/trivial', 0, 1), kinds: ['sdei'] };

/** Every defect the walker knows. */
export const UNWINDER_DEFECTS: readonly Defect[] = [
  unwinderDefect('no-pac-strip', slices('calls/pac')),
  unwinderDefect('wrong-alignment-mask', BOTTOM),
  unwinderDefect('fre-lookup-off-by-one', BOTTOM),
  unwinderDefect('stale-lr', BOTTOM),
  unwinderDefect('error-swallowed', slices('leaf/memset-spills-fp')),
  unwinderDefect('stack-reentered', slices('review/stack-left')),
  unwinderDefect('final-anywhere', slices('review/false-final')),
  unwinderDefect('graph-index-not-kept', slices('review/graph-index')),
  unwinderDefect('fp-load-consumes', slices('review/fp-above-ra')),
  unwinderDefect('ra-load-keeps', slices('review/ra-consumed')),
  unwinderDefect('sdei-trusted', [...slices('sdei/leaf', 'fgraph/leaf', 'calls/leaf'), NESTED]),
];

/** Recursion at its first returns: a return address is the PC and pending at once. */
const RETURNING = { ...nested('calls/recursion', 424, 432), kinds: ['irq', 'nmi'] as const };

export const TRUTH_DEFECTS: readonly Defect[] = [
  truthDefect('tail-call-pops', slices('calls/indirect')),
  truthDefect('call-not-recorded', BOTTOM),
  truthDefect('eret-not-recorded', [{ ...nested('entry/trivial', 0, 1), kinds: ['irq', 'nmi'] }]),
  truthDefect('sp-ignored', [RETURNING]),
];

/** Where the host thinks that the entry is off the return stack. */
const poppedAt = (name: string, address: number): Defect =>
  roleDefect(name, 'return_to_handler_popped', RECOVER, { address }, 'fgraph-recover');

/** The host side of the kernel model, and the judge's idea of a trampoline. */
export const ROLE_DEFECTS: readonly Defect[] = [
  roleDefect('NMI context never recognised', 'KW_NMI_MASK', BOTTOM, { address: 0 }),
  poppedAt('x30 believed from anywhere on', -(2 ** 47)),
  poppedAt('x30 never believed', 0),
  roleDefect('all text is a trampoline to the judge', 'ftrace_caller', BOTTOM, { size: 1 << 30 }),
];
