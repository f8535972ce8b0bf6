/** The claims about version 5: what follows from a failed look-up and from a failed record step. */
import { CAREFUL, type Promises } from '../promise-terms.js';
import type { Scenario } from '../scenario.js';
import { bareClaim, claim } from './claim.js';
import { at, brokenAbove, everywhere, exactIn, WHY, withoutEntry } from './review-promises.js';

const REASON = {
  tracked:
    "the callee's record is taken for SP, which is above its whole frame: FP and RA are read from that frame",
  rightSp: 'the step from the registers has left the right SP',
  nextRow: 'the row consulted is the one of the return address, which is on another path',
  frameAddress:
    "__builtin_frame_address(0) is 96 bytes below the caller's SP: FP and RA are read from its locals",
};

/** What v5 answers in a leaf, called by C code that a function with data in x29 calls. */
function tracked(shape: 'alloca' | 'static', summary: string): Scenario {
  const callee = `review_${shape}`;
  return claim(
    { name: `tracked-sp-${shape}`, summary, entry: `${callee}_entry`, result: 31, topics: ['v5'] },
    () => [
      everywhere(['sframe-v5'], 'missing', at('review_leaf'), REASON.tracked),
      brokenAbove('review_leaf', callee),
      exactIn(`review_calls_${shape}`),
      exactUnderV5(REASON.rightSp, callee),
    ],
  );
}

function exactUnderV5(reason: string, ...functions: readonly string[]): Promises {
  return {
    'sframe-v5': { require: [{ verdict: 'exact', ...at(...functions), everywhere: true, reason }] },
  };
}

/** Everything that the handler with data in x29 interrupts. */
const WALKED = at('review_handler_entry', 'review_framed', 'review_leaf');

/** The scenarios about version 5. */
export const v5Claims: readonly Scenario[] = [
  claim(
    {
      name: 'v5-metadata-warn',
      summary:
        'v5: a failed look-up takes an ordinary frame record for a metadata record, and WARNs',
      entry: 'review_nocfi_entry',
      result: 16,
      topics: ['v5'],
    },
    () => [withoutEntry('review_nocfi'), exactIn('review_leaf')],
  ),
  bareClaim(
    {
      name: 'frame-address-not-sp',
      summary:
        'v5: a walk whose first step fails asks SFrame with __builtin_frame_address(0) for SP',
      entry: 'review_handler_entry',
      thread: 'review_handler_thread',
      kinds: ['irq', 'nmi'],
      result: 21,
      topics: ['v5'],
    },
    () => [
      // The handler leaves everything masked, so there is no depth 2.
      everywhere(['sframe-v5'], 'missing', WALKED, REASON.frameAddress),
      everywhere(['sframe-v6'], 'missing', WALKED, WHY.dropped),
      everywhere(CAREFUL, 'unreliable', WALKED, WHY.returned),
    ],
  ),
  tracked(
    'alloca',
    "v5: SP tracked across the record of a function with alloca is not its caller's SP",
  ),
  tracked('static', 'v5: the same without alloca: a record lies 16 bytes or more below the SP'),
  claim(
    {
      name: 'fallback-right-sp',
      summary: 'v5: SFrame after a failed record step is right when SP comes from the registers',
      entry: 'review_fallback_entry',
      result: 16,
      topics: ['v5'],
    },
    () => [
      exactUnderV5(REASON.rightSp, 'review_leaf'),
      brokenAbove('review_leaf'),
      exactIn('review_calls_leaf'),
    ],
  ),
  claim(
    {
      name: 'fallback-noreturn',
      summary:
        'v5: and wrong after a call that does not return: the next row belongs to another path',
      entry: 'review_exit_entry',
      topics: ['v5'],
    },
    () => [
      everywhere(['sframe-v5'], 'missing', at('review_exit'), REASON.nextRow),
      brokenAbove('review_exit'),
      exactIn('review_calls_exit'),
    ],
  ),
];
