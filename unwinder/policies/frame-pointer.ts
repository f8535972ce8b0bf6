import { Policy } from '../policy.js';

/**
 * Mainline: frame records only. At an exception boundary it cannot know whether x30 was live, so a
 * reliable walk gives up there. The answers about SFrame below have no effect.
 */
export const framePointer = new Policy({
  name: 'frame-pointer',
  boundaryStep: 'frame-record',
  reliableBoundary: 'give-up',
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
