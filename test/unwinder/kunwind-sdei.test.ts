/** What a walk makes of an SDEI handler's frame record: {interrupted x29, interrupted PC}. */

import { describe, expect, it } from 'vitest';
import { POLICIES } from '../../unwinder/policies/all.js';
import { type PolicyName } from '../../unwinder/policy.js';
import {
  FINAL,
  Guest,
  RETURN_TO_HANDLER,
  SDEI_HANDLER,
  SDEI_HANDLER_SIZE,
  on,
  text,
} from './kunwind-fixture.js';

const TRUSTING: readonly PolicyName[] = [
  'frame-pointer',
  'sframe-v5',
  'sframe-v6',
  'sframe-strict',
];
const DISTRUSTING: readonly PolicyName[] = ['fgraph-detect', 'fgraph-recover'];

const callback = text(0x4004);
const pc = text(0x3030);
const outer = text(0x1010);
/** The frame record of the interrupted leaf's caller; the caller itself is in x30 alone. */
const CALLER_RECORD = on('task', 0x3000);

/** An event in a leaf; its C code returns to `into` bytes into the handler. */
function event(into: number, fp = CALLER_RECORD, at = pc): Guest {
  const guest = new Guest();
  guest.task.inNmi = true;
  guest.record(CALLER_RECORD, FINAL, outer);
  const record = guest.record(on('sdei-normal', 0x3ff0), fp, at);
  const inner = guest.record(on('sdei-normal', 0x3f80), record, SDEI_HANDLER + into);
  guest.start.fromCaller(callback, inner, inner - 64);
  return guest;
}

it('is a question that every policy answers', () => {
  expect(Object.keys(POLICIES).sort()).toEqual([...TRUSTING, ...DISTRUSTING].sort());
  for (const { name, rules } of Object.values(POLICIES)) {
    expect(rules.sdeiRecord, name).toBe(DISTRUSTING.includes(name) ? 'unreliable' : 'call');
  }
});

describe.each(TRUSTING)('%s', (policy) => {
  it("skips the interrupted leaf's caller, as the real kernel does", () => {
    expect(event(0x90).walk(policy)).toMatchObject({
      trace: [callback, SDEI_HANDLER + 0x90, pc, outer],
      status: 'none',
      mark: 'none',
    });
  });
});

describe.each(DISTRUSTING)('%s', (policy) => {
  it.each([0, 4, SDEI_HANDLER_SIZE - 4])('refuses what lies beyond handler+%i', (into) => {
    expect(event(into).walk(policy)).toMatchObject({
      trace: [callback, SDEI_HANDLER + into],
      status: 'sdei-record',
      end: 'refused',
      mark: 'sdei-record',
      warned: 'none',
    });
  });

  it.each([-4, SDEI_HANDLER_SIZE])('takes handler%i for other code', (into) => {
    expect(event(into).walk(policy)).toMatchObject({
      trace: [callback, SDEI_HANDLER + into, pc, outer],
      status: 'none',
    });
  });

  it('lists all it can in a best-effort walk, marked', () => {
    expect(event(0x90).walk(policy, 'best-effort')).toMatchObject({
      trace: [callback, SDEI_HANDLER + 0x90, pc, outer],
      end: 'final',
      mark: 'sdei-record',
    });
  });

  it('refuses also where the record is the last before the final one', () => {
    const guest = event(0x90);
    guest.record(on('sdei-normal', 0x3f80), FINAL, SDEI_HANDLER + 0x90);
    expect(guest.walk(policy)).toMatchObject({ end: 'final', status: 'sdei-record' });
  });

  it('walks up to the handler as ever when nothing is beyond it', () => {
    const guest = new Guest();
    guest.record(CALLER_RECORD, FINAL, outer);
    guest.start.fromCaller(callback, CALLER_RECORD, 0);
    expect(guest.walk(policy)).toMatchObject({ trace: [callback, outer], status: 'none' });
  });

  it('keeps quiet about return_to_handler without an entry beyond it', () => {
    const guest = event(0x90, CALLER_RECORD, RETURN_TO_HANDLER);
    guest.graph();
    const walk = guest.walk(policy, 'best-effort');
    expect(walk).toMatchObject({ error: 'graph-unrecovered', warned: 'none' });
    expect(guest.walk('sframe-strict', 'best-effort').warned).toBe('graph-unrecovered');
  });
});
