/** Promises of the review scenarios about frame records: broken, consumed, half written. */
import {
  allowed,
  CAREFUL,
  DROPPING,
  exact,
  mergePromises,
  seen,
  SFRAME_POLICIES,
  someExact,
  TRUSTING_SDEI,
  under,
  type Promises,
} from '../promise-terms.js';
import {
  at,
  brokenAbove,
  everywhere,
  exactIn,
  hiddenBySdei,
  inside,
  RETURNING,
  sdeiAt,
  WHY,
  withoutEntry,
} from './review-promises.js';

const REASON = {
  oddFp:
    'SFrame is not consulted while x29 is misaligned, even where x29 is not needed; the record step tried instead fails too, and that error is dropped with the mark',
  oddFpReturned:
    'SFrame is not consulted while x29 is misaligned, even where x29 is not needed, and the walk says so',
  oddRecord: 'SDEI pushes a plain record with the odd x29 as its fp: the walk stops there',
  fallback: 'the failed step consults SFrame with the SP of the registers, and that is right here',
  otherStack:
    'the failed step consults SFrame with an SP on the other stack, and its error is dropped',
  notFinal: "a FINAL record is valid in the task's pt_regs only",
  unconsumed:
    'return address in x30: nothing is consumed, and the buffer in the live frame passes for a record',
  stale: 'SDEI: the record that x29 points at is not written, or only half: stale data is listed',
  staleReturned: 'SDEI: stale data in the unwritten record leads nowhere, and the walk says so',
} as const;

/**
 * x29 is misaligned at 4 of the 11 instructions of review_odd_data; two of them are calls and
 * loads.
 */
export const dropped = (): Promises =>
  mergePromises(
    everywhere(DROPPING, 'missing', at('review_framed', 'review_leaf'), WHY.dropped),
    everywhere(CAREFUL, 'unreliable', at('review_framed', 'review_leaf'), WHY.returned),
    under(DROPPING, seen('missing', at('review_odd_data'), REASON.oddFp, 16)),
    under(CAREFUL, seen('unreliable', at('review_odd_data'), REASON.oddFpReturned, 16)),
    under(SFRAME_POLICIES, someExact({ ...at('review_odd_data'), atLeast: 28 }, WHY.cfi)),
    inside(DROPPING, 'missing', REASON.oddFp),
    inside(CAREFUL, 'unreliable', REASON.oddFpReturned),
    everywhere(DROPPING, 'missing', sdeiAt('review_framed', 'review_leaf'), REASON.oddRecord),
    everywhere(RETURNING, 'unreliable', sdeiAt('review_framed', 'review_leaf'), REASON.oddRecord),
    under(RETURNING, seen('unreliable', sdeiAt('review_odd_data'), REASON.oddRecord, 4)),
    under(TRUSTING_SDEI, hiddenBySdei('review_odd_data', 'review_dropped_entry')),
  );

const fromIrqStack = { ...at('review_leaf'), kinds: ['irq', 'nmi'] } as const;
const fromTaskStack = { ...at('review_leaf'), kinds: ['brk', 'serror'] } as const;

export const stackLeft = (): Promises =>
  mergePromises(
    under(['sframe-v5'], exact(fromIrqStack, REASON.fallback)),
    everywhere(['sframe-v5'], 'missing', fromTaskStack, REASON.otherStack),
    brokenAbove('review_leaf'),
    exactIn('review_left_stack'),
  );

export const falseFinal = (): Promises =>
  mergePromises(
    everywhere(SFRAME_POLICIES, 'warned', at('review_leaf'), REASON.notFinal),
    exactIn('review_false_final'),
    // In best-effort mode frame-pointer gets that far, too.
    under(
      ['frame-pointer'],
      allowed('warned', at('review_leaf', 'review_false_final'), REASON.notFinal),
    ),
    inside(['frame-pointer'], 'warned', REASON.notFinal),
  );

/**
 * At two instructions, before the store and after the load, the frame exists and the return address
 * is in x30.
 */
export const raConsumed = (): Promises =>
  mergePromises(
    under(CAREFUL, seen('missing', at('review_buffer'), REASON.unconsumed, 8)),
    under(CAREFUL, seen('unreliable', at('review_buffer'), WHY.returned, 20)),
    under(['sframe-v5'], seen('missing', at('review_buffer'), REASON.unconsumed, 8)),
    under(['sframe-v5'], someExact({ ...at('review_buffer'), atLeast: 20 }, REASON.fallback)),
    everywhere(['sframe-v6'], 'missing', at('review_buffer'), WHY.dropped),
    inside(SFRAME_POLICIES, 'missing', REASON.unconsumed),
    inside(CAREFUL, 'unreliable', WHY.returned),
    exactIn('review_calls_buffer'),
  );

export const halfRecord = (): Promises =>
  mergePromises(
    exactIn('review_half_record'),
    under(TRUSTING_SDEI, hiddenBySdei('review_half_record_entry')),
    under(TRUSTING_SDEI, seen('missing', sdeiAt('review_half_record'), REASON.stale, 12)),
    under(
      TRUSTING_SDEI,
      someExact({ ...sdeiAt('review_half_record'), atLeast: 2 }, 'the record is complete'),
    ),
    under(RETURNING, seen('unreliable', sdeiAt('review_half_record'), REASON.staleReturned, 2)),
    inside(RETURNING, 'unreliable', REASON.staleReturned),
  );

export const splitRecord = (): Promises =>
  mergePromises(
    withoutEntry('review_split_record'),
    under(TRUSTING_SDEI, hiddenBySdei('review_split_record_entry', 'review_split_record')),
    under(
      TRUSTING_SDEI,
      someExact({ ...sdeiAt('review_split_record'), atLeast: 2 }, 'the record is complete'),
    ),
    under(TRUSTING_SDEI, allowed('missing', sdeiAt('review_split_record'), REASON.stale)),
  );
