import { Policy } from '../policy.js';

/**
 * The SFrame series as posted, version 5. Its bugs are kept:
 *
 * - a failed look-up goes on to the metadata-record step, which WARNs about an ordinary record;
 * - any failed frame-pointer step is followed by an SFrame step, with a wrongly tracked SP;
 * - errors of the walk are dropped, so a trace that is cut short without a mark counts as reliable.
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
