import { Policy } from '../policy.js';

/**
 * The SFrame series as posted, version 5. Its bugs are kept:
 *
 * - a failed look-up goes to the metadata-record step, which WARNs on an ordinary record;
 * - SFrame is asked after any failed frame-pointer step, with an SP that was tracked wrongly;
 * - the error of a walk is dropped, so a trace cut short without a mark is called reliable.
 */
export const sframeV5 = new Policy({
  name: 'sframe-v5',
  boundaryStep: 'sframe',
  reliableBoundary: 'walk-on',
  sframeSp: 'tracked',
  sframeElsewhere: 'failed-record',
  lookupFailure: 'metadata-record',
  outermost: 'end-of-trace',
  cfaMask: 0x7,
  walkError: 'dropped',
  markAtEnd: 'lost',
  graphTrampoline: 'first-byte',
  sdeiRecord: 'call',
});
