/** Makes a scenario from a call shape. */
import { mergePromises, type Promises } from '../promise-terms.js';
import { promisesFor, type CodeShape } from '../promises.js';
import type { Scenario } from '../scenario.js';
import { withPromises } from '../with-promises.js';

/**
 * A scenario that calls `entry` with one number and expects another back. It promises what follows
 * from the shapes of its functions, and `extra`.
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
