/** Makes a scenario from a claim. */
import { BOUNDARY_KINDS, mergePromises, type Promises } from '../promise-terms.js';
import type { Scenario } from '../scenario.js';
import { withPromises } from '../with-promises.js';
import { givesUp, ordinary } from './review-promises.js';

/** A scenario without what all claims have in common. The name is without the family's. */
export type Claim = Pick<Scenario, 'name' | 'summary' | 'entry'> &
  Partial<Omit<Scenario, 'promises'>>;

/** A scenario with x0 = 5 and an ordinary entry function. */
export function claim(of: Claim, promises: () => readonly Promises[]): Scenario {
  return bareClaim(of, () => [ordinary(of.entry), ...promises()]);
}

/** The same, but nothing is promised for the entry function. */
export function bareClaim(of: Claim, promises: () => readonly Promises[]): Scenario {
  return withPromises(
    {
      args: [{ number: 5 }],
      kinds: BOUNDARY_KINDS,
      ...of,
      name: `review/${of.name}`,
      topics: ['review', ...(of.topics ?? [])],
    },
    () => mergePromises(givesUp(), ...promises()),
  );
}
