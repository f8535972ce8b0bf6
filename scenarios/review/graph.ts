/**
 * Promises of the review scenarios about function graph. scenarios/fgraph has every kind and depth.
 */
import {
  allowed,
  always,
  CAREFUL,
  exact,
  mergePromises,
  RECOVERING,
  seen,
  SKIPPING,
  someExact,
  under,
  type Promises,
} from '../promise-terms.js';
import { ALIGNED, at, inside, WHY } from './review-promises.js';

const REASON = {
  recovered: 'the entry is still on the return stack: found by retp from any address inside',
  hook: 'ftrace_caller has no SFrame entry',
  trampoline: 'return_to_handler has no SFrame entry',
  recordless: 'a caller without a frame record is skipped: from a callee only x29 is followed',
  twice: 'both entries have the x29 of the only record, and each is found once',
} as const;

/** The C code that return_to_handler runs. */
const EXIT = ['ftrace_return_to_handler', 'fgraph_exit_handler'] as const;
/** The C code that the entry hook runs. */
const HOOK = ['ftrace_graph_func', 'function_graph_enter', 'fgraph_entry_handler'] as const;
const trampoline = at('return_to_handler');

/**
 * The first exception came in code without an SFrame entry, in the window, or where a caller is
 * lost.
 */
const insideGraph = (): Promises =>
  mergePromises(
    inside(['sframe-v5'], 'warned', WHY.noEntryV5),
    inside(['sframe-v6', ...CAREFUL], 'unreliable', REASON.hook),
    inside(SKIPPING, 'missing', WHY.skipped),
  );

/**
 * ftrace_caller and return_to_handler have no SFrame entry. The first byte of return_to_handler is
 * recovered.
 */
function withoutEntries(calls: number): Promises {
  return mergePromises(
    insideGraph(),
    under(['sframe-v5'], always('warned', at('ftrace_caller'), WHY.noEntryV5)),
    under(['sframe-v6', ...CAREFUL], always('unreliable', at('ftrace_caller'), REASON.hook)),
    under(['sframe-v5'], seen('warned', trampoline, WHY.noEntryV5, 14 * calls)),
    under(
      ['sframe-v6', 'sframe-strict'],
      seen('unreliable', trampoline, REASON.trampoline, 14 * calls),
    ),
    under(RECOVERING, seen('unreliable', trampoline, WHY.window, 7)),
    under(RECOVERING, someExact({ ...trampoline, atLeast: 8 }, REASON.recovered)),
    under(
      RECOVERING,
      someExact({ ...at('ftrace_return_to_handler'), atLeast: 38 }, REASON.recovered),
    ),
    under(RECOVERING, seen('unreliable', at('ftrace_return_to_handler'), WHY.window, 6)),
  );
}

export const window = (): Promises =>
  mergePromises(
    withoutEntries(1),
    under(SKIPPING, always('missing', at(...EXIT), WHY.skipped)),
    under(RECOVERING, exact(at('fgraph_exit_handler'), REASON.recovered)),
    under(ALIGNED, exact(at('review_traced', ...HOOK), WHY.cfi)),
    under(['sframe-v6'], allowed('unreliable', at('review_traced', ...HOOK), WHY.alignment)),
  );

/**
 * From a callee of review_recordless, its caller is lost. That is not the subject, but it cannot be
 * avoided.
 */
export const graphIndex = (): Promises =>
  mergePromises(
    withoutEntries(2),
    inside(['sframe-v5', 'sframe-v6', ...CAREFUL], 'missing', REASON.recordless),
    under(['sframe-v5', 'sframe-strict'], someExact({ ...trampoline, atLeast: 2 }, REASON.twice)),
    under(ALIGNED, exact(at('review_recordless'), WHY.cfi)),
    under(ALIGNED, always('missing', at('review_traced'), REASON.recordless)),
    under(['sframe-v5', 'sframe-strict'], always('missing', at(...EXIT), WHY.skipped)),
    under(ALIGNED, ...HOOK.map((name) => seen('missing', at(name), REASON.recordless, 3))),
    under(ALIGNED, ...HOOK.map((name) => someExact({ ...at(name), atLeast: 3 }, WHY.cfi))),
    under(RECOVERING, seen('missing', trampoline, REASON.recordless, 14)),
    under(RECOVERING, ...EXIT.map((name) => seen('missing', at(name), REASON.recordless, 2))),
    under(RECOVERING, someExact({ ...at('fgraph_exit_handler'), atLeast: 2 }, REASON.recovered)),
    under(
      ['sframe-v6'],
      allowed(
        'unreliable',
        at('review_recordless', 'review_traced', ...HOOK, ...EXIT),
        WHY.alignment,
      ),
      allowed('missing', at('review_traced', ...HOOK, ...EXIT), REASON.recordless),
    ),
  );
