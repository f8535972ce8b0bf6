/** What a unit answers does not depend on what its process did before. */
import { expect, it } from 'vitest';
import { openBackend } from '../../emulator/backend.js';
import { selectTargets } from '../../targets/catalogue.js';
import { Lab } from '../../lab/lab.js';
import { UnitRunner } from '../../sweep/run-unit.js';
import type { UnitRequest, UnitResult } from '../../sweep/unit.js';
import { cutRanges } from '../../sweep/range.js';
import { ALL_KINDS } from '../../kernel-model/exception-kind.js';

/** A scenario from its beginning, and from where the functions it calls have returned. */
function units(name: string): UnitRequest[] {
  const selected = selectTargets([name]);
  if ('unknown' in selected) throw new Error(`${name} is gone`);
  return selected.flatMap((target) =>
    [0, 12, 30].flatMap((from, id) =>
      cutRanges(200, 1, ALL_KINDS, 10_000).map((range) => ({
        id,
        target,
        policies: ['frame-pointer', 'sframe-strict'] as const,
        range: { ...range, from },
      })),
    ),
  );
}

async function answers(requests: readonly UnitRequest[]): Promise<Map<number, UnitResult>> {
  const backend = await openBackend();
  if (!backend.ok) throw new Error(backend.error.message);
  const lab = Lab.create(backend.value);
  if (!lab.ok) throw new Error(lab.error.message);
  const runner = new UnitRunner(lab.value);
  const results = new Map<number, UnitResult>();
  for (const request of requests) results.set(request.id, await runner.run(request));
  lab.value.close();
  return results;
}

it('is the same whatever the order of the units is', async () => {
  const requests = units('calls/pac');
  const forwards = await answers(requests);
  const backwards = await answers([...requests].reverse());
  for (const { id } of requests) {
    expect(forwards.get(id)?.points).toBeGreaterThan(10);
    // As JSON, because the order of cells is the order of a report.
    expect(JSON.stringify(backwards.get(id))).toBe(JSON.stringify(forwards.get(id)));
  }
});
