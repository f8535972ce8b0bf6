import { describe, expect, it } from 'vitest';
import type { Promises } from '../../scenarios/promise-terms.js';
import { withPromises } from '../../scenarios/with-promises.js';
import { allTargets } from '../../targets/catalogue.js';

describe('promises', () => {
  const described = { name: 'x/y', summary: '', entry: 'f' };
  const promises: Promises = { 'sframe-strict': { allow: [] } };

  it('are built once, when they are first read', () => {
    let built = 0;
    const scenario = withPromises(described, () => {
      built++;
      return promises;
    });
    expect(built).toBe(0);
    expect([scenario.promises, scenario.promises]).toEqual([promises, promises]);
    expect(built).toBe(1);
  });

  it('are plain data in what another process is sent', () => {
    const scenario = withPromises(described, () => promises);
    expect(structuredClone(scenario)).toEqual({ ...described, promises });
  });

  it('of no scenario of the catalogue are built when that is loaded', () => {
    const built = allTargets().filter(
      ({ scenario }) => Object.getOwnPropertyDescriptor(scenario, 'promises')?.get === undefined,
    );
    expect(built.map(({ scenario }) => scenario.name)).toEqual([]);
  });
});
