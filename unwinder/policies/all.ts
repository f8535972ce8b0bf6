/** Every policy by name, in the order in which reports list them. */

import { type Policy, type PolicyName } from '../policy.js';
import { fgraphDetect } from './fgraph-detect.js';
import { fgraphRecover } from './fgraph-recover.js';
import { framePointer } from './frame-pointer.js';
import { sframeStrict } from './sframe-strict.js';
import { sframeV5 } from './sframe-v5.js';
import { sframeV6 } from './sframe-v6.js';

export const POLICIES: Readonly<Record<PolicyName, Policy>> = {
  'frame-pointer': framePointer,
  'sframe-v5': sframeV5,
  'sframe-v6': sframeV6,
  'sframe-strict': sframeStrict,
  'fgraph-detect': fgraphDetect,
  'fgraph-recover': fgraphRecover,
};
