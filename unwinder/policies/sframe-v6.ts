import { Policy } from '../policy.js';

/**
 * The SFrame series, version 6: SFrame at exception boundaries only, with the saved registers. Its
 * bugs are kept:
 *
 * - the CFA alignment test is `cfa & 0x15`, which refuses every valid CFA that has bit 4 set;
 * - errors of the walk are dropped, as in version 5.
 */
export const sframeV6 = new Policy({
  name: 'sframe-v6',
  boundaryStep: 'sframe',
  reliableBoundary: 'walk-on',
  sframeSp: 'regs',
  sframeElsewhere: 'never',
  lookupFailure: 'error',
  outermost: 'error',
  cfaMask: 0x15,
  walkError: 'dropped',
  markAtEnd: 'lost',
  graphTrampoline: 'first-byte',
  sdeiRecord: 'call',
});
