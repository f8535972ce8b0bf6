/**
 * Builds promises when they are first read, so that a command that sweeps nothing pays for none.
 */
import type { Promises } from './promise-terms.js';
import type { Scenario } from './scenario.js';

/**
 * The scenario with its promises. They are an ordinary own property, so a copy that is sent to
 * another process has them as plain data. Copying the scenario by spreading reads them, and thereby
 * builds them.
 * @param build called at most once
 */
export function withPromises(
  scenario: Omit<Scenario, 'promises'>,
  build: () => Promises,
): Scenario {
  let built: Promises | undefined;
  return {
    ...scenario,
    get promises() {
      return (built ??= build());
    },
  };
}
