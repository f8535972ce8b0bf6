import { Policy } from '../policy.js';

/**
 * Version 6 with the alignment test that it meant, and with errors of the walk returned.
 *
 * One hole of version 6 remains, as in the reference kernel. A failed SFrame step falls back to a
 * frame record; when that is the task's final record, the unreliable mark is never checked.
 */
export const sframeStrict = new Policy({
  name: 'sframe-strict',
  boundaryStep: 'sframe',
  reliableBoundary: 'walk-on',
  sframeSp: 'regs',
  sframeElsewhere: 'never',
  lookupFailure: 'error',
  outermost: 'error',
  cfaMask: 0xf,
  walkError: 'returned',
  markAtEnd: 'lost',
  graphTrampoline: 'first-byte',
  sdeiRecord: 'call',
});
