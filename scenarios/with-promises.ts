/** Promises that are built when they are first read: a command that sweeps nothing pays for none of them. */
import type { Promises } from './promise-terms.js';
import type { Scenario } from './scenario.js';

/**
 * The scenario with its promises, as an own property like any other: a copy that is sent to another
 * process has them as plain data. So has a copy made by spreading, which reads and thereby builds them.
 * @param build called once at most
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
