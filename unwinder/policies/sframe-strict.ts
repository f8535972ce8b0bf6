import { Policy } from '../policy.js';

/**
 * Version 6 with the alignment test it meant and the error of the walk returned.
 *
 * One hole of version 6 stays, as in the reference kernel: when the frame record that stands in
 * for a failed SFrame step is the task's final record, nobody looks at the unreliable mark.
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
