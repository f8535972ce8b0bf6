/** How a call shape becomes a scenario. */
import { mergePromises, type Promises } from '../promise-terms.js';
import { promisesFor, type CodeShape } from '../promises.js';
import type { Scenario } from '../scenario.js';
import { withPromises } from '../with-promises.js';

/**
 * The scenario that calls `entry` with one number, expects another back, and promises what follows
 * from its functions' shapes, and `extra`.
 */
export function shape(
  name: string,
  summary: string,
  entry: string,
  [argument, result]: readonly [number, number],
  functions: CodeShape,
  extra: () => Promises = () => ({}),
): Scenario {
  return withPromises(
    {
      name: `calls/${name}`,
      summary,
      entry,
      args: [{ number: argument }],
      result,
      topics: ['calls'],
    },
    () => mergePromises(promisesFor(functions), extra()),
  );
}
