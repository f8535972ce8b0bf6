/** Best-effort walks: listed to the end, whatever a reliable one would say. */

import { describe, expect, it } from 'vitest';
import { ENTRY, Guest, NESTED_PC, nestedBoundary, text } from './kunwind-fixture.js';

const handler = text(0x4040);
const pc = text(0x3030);
const caller = text(0x2020);
const outer = text(0x1010);
const seen = [handler, ENTRY];

describe('best effort', () => {
  it.each(['sframe-v6', 'sframe-strict', 'fgraph-detect', 'fgraph-recover'] as const)(
    '%s WARNs on a second boundary: the fallback forgot the registers it had just found',
    (policy) => {
      expect(nestedBoundary().walk(policy, 'best-effort')).toMatchObject({
        trace: [...seen, NESTED_PC, pc, outer],
        warned: 'sframe-without-regs',
        mark: 'no-sframe-entry',
        end: 'final',
      });
    },
  );

  it('sframe-v5 does not, and frame-pointer needs no registers', () => {
    expect(nestedBoundary().walk('sframe-v5', 'best-effort')).toMatchObject({
      trace: [...seen, NESTED_PC, pc, caller, outer],
      warned: 'none',
    });
    expect(nestedBoundary().walk('frame-pointer', 'best-effort')).toMatchObject({
      trace: [...seen, NESTED_PC, pc, outer],
      warned: 'none',
      status: 'none',
    });
  });

  it('says why a trace is incomplete, also where a reliable walk would drop it', () => {
    const guest = new Guest();
    guest.start.fromCaller(handler, 8, 0);
    expect(guest.walk('sframe-v6', 'best-effort').status).toBe('stack-not-accessible');
  });
});
