/** Each defect that is planted changes the answer of a stack that a sound walker gets right. */

import { describe, expect, it } from 'vitest';
import type * as KunwindModule from '../../unwinder/kunwind.js';
import { type PolicyName } from '../../unwinder/policy.js';
import { RecoverKind } from '../../unwinder/unwind-rule.js';
import { PackageCopy } from '../defects/package-copy.js';
import { withSourceEdit } from '../defects/planted.js';
import { UNWINDER_EDITS } from '../defects/source-edits.js';
import {
  ENTRY,
  FINAL,
  Guest,
  type Outcome,
  RETURN_TO_HANDLER,
  SDEI_HANDLER,
  interrupted,
  on,
  text,
} from './kunwind-fixture.js';

const A = text(0x1004);
const B = text(0x2004);
const C = text(0x3004);
const handler = text(0x4040);
const pc = text(0x3030);
const caller = text(0x2020);
const outer = text(0x1010);

function chain(lr: number | bigint = A): Guest {
  const guest = new Guest();
  guest.record(on('task', 0x3000), FINAL, B);
  guest.start.fromCaller(C, guest.record(on('task', 0x2f80), on('task', 0x3000), lr), 0);
  return guest;
}

interface Case {
  readonly build: () => Guest;
  /** Default sframe-strict. */
  readonly policy?: PolicyName;
  /** Of the policy, without and with the defect. */
  readonly sound: Partial<Outcome>;
  readonly planted: Partial<Outcome>;
}

const cases: Record<keyof typeof UNWINDER_EDITS, Case> = {
  'no-pac-strip': {
    build: () => chain(0x12c5_8000_8001_1004n),
    sound: { trace: [C, A, B] },
    planted: { trace: [C, Number(0x12c5_8000_8001_1004n), B] },
  },
  'wrong-alignment-mask': {
    build: () => {
      const { guest } = interrupted({ sp: on('task', 0x2f10) });
      guest.sframe(pc, {});
      return guest;
    },
    sound: { trace: [handler, ENTRY, pc, caller, outer], status: 'none' },
    planted: { status: 'cfa-misaligned' },
  },
  'fre-lookup-off-by-one': {
    build: () => {
      // One instruction earlier the frame was not there yet.
      const { guest, callerRecord } = interrupted({ lr: text(0x6060) });
      guest.sframe(pc - 4, {});
      guest.sframe(pc, {
        cfaOffset: 0x40,
        raKind: RecoverKind.LOAD_CFA,
        raOffset: -8,
        fpKind: RecoverKind.LOAD_CFA,
        fpOffset: -16,
      });
      guest.record(on('task', 0x2f30), callerRecord, caller);
      return guest;
    },
    sound: { trace: [handler, ENTRY, pc, caller, outer], status: 'none' },
    planted: { trace: [handler, ENTRY, pc, text(0x6060), outer], status: 'none' },
  },
  'stale-lr': {
    build: () => {
      const { guest, callerRecord } = interrupted({ lr: text(0x6060) });
      guest.sframe(pc, {
        cfaOffset: 0x40,
        raKind: RecoverKind.LOAD_CFA,
        raOffset: -8,
        fpKind: RecoverKind.LOAD_CFA,
        fpOffset: -16,
      });
      guest.record(on('task', 0x2f30), callerRecord, caller);
      return guest;
    },
    sound: { trace: [handler, ENTRY, pc, caller, outer], status: 'none' },
    planted: { trace: [handler, ENTRY, pc, text(0x6060), outer], status: 'none' },
  },
  'stack-reentered': {
    build: () => {
      // task -> IRQ -> the same record on the task stack, for ever.
      const guest = chain();
      guest.put(on('task', 0x2f80), on('irq', 0x100));
      guest.record(on('irq', 0x100), on('task', 0x2f80), B);
      return guest;
    },
    sound: { trace: [C, A, B], status: 'stack-not-accessible', fault: 'none' },
    planted: { status: 'looped', fault: 'looped' },
  },
  'error-swallowed': {
    build: () => {
      const guest = chain();
      guest.put(on('task', 0x2f80), 8);
      return guest;
    },
    sound: { trace: [C, A], status: 'stack-not-accessible' },
    planted: { trace: [C, A], status: 'none', error: 'stack-not-accessible' },
  },
  'final-anywhere': {
    build: () => {
      const guest = chain();
      guest.put(on('task', 0x2f80), on('task', 0x2fc0));
      guest.put(on('task', 0x2fd0), 1n);
      return guest;
    },
    sound: { trace: [C, A], status: 'misplaced-final', warned: 'misplaced-final' },
    planted: { trace: [C, A], status: 'none', warned: 'none' },
  },
  'graph-index-not-kept': {
    build: () => {
      // A leaf's x30 is the trampoline; the caller recovered keeps no frame record, its return
      // address is in the trampoline as well, and fp is the same: two entries with one retp.
      const { guest, callerRecord } = interrupted({ pc: RETURN_TO_HANDLER });
      guest.sframe(A, { cfaOffset: 0x40, raKind: RecoverKind.LOAD_CFA, raOffset: -8 });
      guest.put(on('task', 0x2f38), RETURN_TO_HANDLER);
      guest.graph([B, callerRecord], [A, callerRecord]);
      return guest;
    },
    sound: { trace: [handler, ENTRY, A, B, outer], status: 'none' },
    planted: { trace: [handler, ENTRY, A, A, outer], status: 'none' },
  },
  'fp-load-consumes': {
    build: () => {
      // FP above the return address: STP with the registers the other way round.
      const { guest, callerRecord } = interrupted();
      guest.sframe(pc, {
        cfaOffset: 0x40,
        raKind: RecoverKind.LOAD_CFA,
        raOffset: -16,
        fpKind: RecoverKind.LOAD_CFA,
        fpOffset: -8,
      });
      guest.record(on('task', 0x2f30), caller, callerRecord);
      return guest;
    },
    sound: { trace: [handler, ENTRY, pc, caller, outer], status: 'none' },
    planted: { trace: [handler, ENTRY, pc], status: 'ra-slot-not-accessible' },
  },
  'ra-load-keeps': {
    build: () => {
      // x29 is below the slot of the return address, at what looks like a record.
      const { guest, callerRecord } = interrupted({ fp: on('task', 0x2f10) });
      guest.sframe(pc, { cfaOffset: 0x40, raKind: RecoverKind.LOAD_CFA, raOffset: -8 });
      guest.put(on('task', 0x2f38), caller);
      guest.record(on('task', 0x2f10), callerRecord, text(0x6060));
      return guest;
    },
    sound: { trace: [handler, ENTRY, pc, caller], status: 'stack-not-accessible' },
    planted: { trace: [handler, ENTRY, pc, caller, text(0x6060), outer], status: 'none' },
  },
  'sdei-trusted': {
    policy: 'fgraph-detect',
    build: () => {
      // A leaf, whose caller is in x30 alone: the event's record leads to the caller's caller.
      const { guest, callerRecord } = interrupted();
      guest.task.inNmi = true;
      const event = guest.record(on('sdei-normal', 0x3ff0), callerRecord, pc);
      const record = guest.record(on('sdei-normal', 0x3f80), event, SDEI_HANDLER + 0x90);
      guest.start.fromCaller(handler, record, record - 64);
      return guest;
    },
    sound: { trace: [handler, SDEI_HANDLER + 0x90], status: 'sdei-record', end: 'refused' },
    planted: { trace: [handler, SDEI_HANDLER + 0x90, pc, outer], status: 'none' },
  },
};

const copy = new PackageCopy();
const names = Object.keys(cases) as (keyof typeof cases)[];

describe.each(names)('%s', (name) => {
  const { build, policy = 'sframe-strict', sound, planted } = cases[name];

  it('is not there by itself', () => {
    expect(build().walk(policy)).toMatchObject(sound);
  });

  it('shows when planted', async () => {
    const guest = build();
    const { Kunwind } = await withSourceEdit(copy, UNWINDER_EDITS[name], () =>
      copy.import<typeof KunwindModule>('unwinder/kunwind.ts'),
    );
    guest.Walker = Kunwind;
    expect(guest.walk(policy)).toMatchObject(planted);
  });
});
