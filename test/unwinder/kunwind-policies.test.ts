/** What sets the policies apart: docs/kernel-facts.md, "Policies", row by row. */

import { describe, expect, it } from 'vitest';
import { type PolicyName } from '../../unwinder/policy.js';
import { CfaBase, RecoverKind } from '../../unwinder/unwind-rule.js';
import {
  ALL,
  ENTRY,
  FINAL,
  Guest,
  type Outcome,
  interrupted,
  nestedBoundary,
  on,
  text,
} from './kunwind-fixture.js';

type Expected = Partial<Outcome>;
const load = {
  raKind: RecoverKind.LOAD_CFA,
  raOffset: -8,
  fpKind: RecoverKind.LOAD_CFA,
  fpOffset: -16,
};
const handler = text(0x4040);
const pc = text(0x3030);
const caller = text(0x2020);
const outer = text(0x1010);
const seen = [handler, ENTRY];

/** One row: a stack, and what each policy says of it in reliable mode. */
interface Row {
  readonly title: string;
  readonly build: () => Guest;
  readonly expected: Readonly<Record<PolicyName, Expected>>;
}

const givesUp: Expected = { trace: seen, status: 'regs-pc', end: 'refused', warned: 'none' };
const exact: Expected = { trace: [...seen, pc, caller, outer], status: 'none', warned: 'none' };
const refused = (reason: string): Expected => ({
  trace: [...seen, pc],
  status: reason,
  end: 'refused',
  warned: 'none',
});

const rows: Row[] = [
  {
    title: 'a leaf interrupted, with SFrame',
    build: () => {
      const { guest } = interrupted();
      guest.sframe(pc, {});
      return guest;
    },
    expected: {
      'frame-pointer': givesUp,
      'sframe-v5': exact,
      'sframe-v6': exact,
      'sframe-strict': exact,
      'fgraph-detect': exact,
      'fgraph-recover': exact,
    },
  },
  {
    title: 'a leaf interrupted, without SFrame: v5 takes an ordinary record for metadata',
    build: () => {
      const { guest } = interrupted();
      // What happens to lie above the caller's record is taken for its type.
      guest.put(on('task', 0x3010), 0x1234n);
      return guest;
    },
    expected: {
      'frame-pointer': givesUp,
      'sframe-v5': { ...refused('bad-metadata'), warned: 'bad-metadata' },
      'sframe-v6': refused('no-sframe-entry'),
      'sframe-strict': refused('no-sframe-entry'),
      'fgraph-detect': refused('no-sframe-entry'),
      'fgraph-recover': refused('no-sframe-entry'),
    },
  },
  {
    title: 'entry code interrupted with x29 at its metadata record: v5 goes on from there',
    build: nestedBoundary,
    expected: {
      'frame-pointer': givesUp,
      // Its registers are forgotten by then, but its tracked SP is theirs, and this rule needs no x30.
      'sframe-v5': {
        trace: [...seen, text(0x8080), pc, caller, outer],
        status: 'none',
        warned: 'none',
      },
      'sframe-v6': { trace: [...seen, text(0x8080)], status: 'no-sframe-entry' },
      'sframe-strict': { trace: [...seen, text(0x8080)], status: 'no-sframe-entry' },
      'fgraph-detect': { trace: [...seen, text(0x8080)], status: 'no-sframe-entry' },
      'fgraph-recover': { trace: [...seen, text(0x8080)], status: 'no-sframe-entry' },
    },
  },
  {
    title: 'an outermost entry ends a v5 trace',
    build: () => {
      const { guest } = interrupted();
      guest.sframe(pc, { raKind: RecoverKind.UNDEFINED });
      return guest;
    },
    expected: {
      'frame-pointer': givesUp,
      'sframe-v5': { trace: [...seen, pc], status: 'none', end: 'outermost' },
      'sframe-v6': refused('outermost'),
      'sframe-strict': refused('outermost'),
      'fgraph-detect': refused('outermost'),
      'fgraph-recover': refused('outermost'),
    },
  },
  {
    title: 'a CFA with bit 4 set: v6 refuses a valid one',
    build: () => {
      const { guest } = interrupted({ sp: on('task', 0x2f10) });
      guest.sframe(pc, {});
      return guest;
    },
    expected: {
      'frame-pointer': givesUp,
      'sframe-v5': exact,
      'sframe-v6': refused('cfa-misaligned'),
      'sframe-strict': exact,
      'fgraph-detect': exact,
      'fgraph-recover': exact,
    },
  },
  {
    title: 'a CFA with bit 3 set: v5 accepts it, and v6 as well',
    build: () => {
      const { guest } = interrupted({ sp: on('task', 0x2f08) });
      guest.sframe(pc, {});
      return guest;
    },
    expected: {
      'frame-pointer': givesUp,
      'sframe-v5': exact,
      'sframe-v6': exact,
      'sframe-strict': refused('cfa-misaligned'),
      'fgraph-detect': refused('cfa-misaligned'),
      'fgraph-recover': refused('cfa-misaligned'),
    },
  },
  {
    title: 'a walk that breaks off: v5 and v6 drop the error',
    build: () => {
      const guest = new Guest();
      const record = guest.record(on('task', 0x2f80), 8, caller);
      guest.start.fromCaller(handler, record, record - 32);
      return guest;
    },
    expected: {
      'frame-pointer': { trace: [handler, caller], status: 'stack-not-accessible' },
      'sframe-v5': { trace: [handler, caller], status: 'none', end: 'error' },
      'sframe-v6': {
        trace: [handler, caller],
        status: 'none',
        end: 'error',
        error: 'stack-not-accessible',
      },
      'sframe-strict': {
        trace: [handler, caller],
        status: 'stack-not-accessible',
        error: 'stack-not-accessible',
      },
      'fgraph-detect': { trace: [handler, caller], status: 'stack-not-accessible' },
      'fgraph-recover': { trace: [handler, caller], status: 'stack-not-accessible' },
    },
  },
  {
    title: 'a failed fallback: the mark is never seen, and v5 and v6 drop the error, too',
    build: () => {
      const { guest } = interrupted({ fp: 8n });
      guest.sframe(pc, { cfaOffset: 4 });
      return guest;
    },
    expected: {
      'frame-pointer': givesUp,
      'sframe-v5': {
        trace: [...seen, pc],
        status: 'none',
        mark: 'cfa-misaligned',
        error: 'stack-not-accessible',
      },
      'sframe-v6': {
        trace: [...seen, pc],
        status: 'none',
        mark: 'cfa-misaligned',
        error: 'stack-not-accessible',
      },
      'sframe-strict': { trace: [...seen, pc], status: 'stack-not-accessible' },
      'fgraph-detect': { trace: [...seen, pc], status: 'cfa-misaligned' },
      'fgraph-recover': { trace: [...seen, pc], status: 'cfa-misaligned' },
    },
  },
  {
    title: 'a fallback that reaches FINAL: the mark is lost but under fgraph-detect and -recover',
    build: () => {
      // A frameless thread function without SFrame: its caller, x30, is missed.
      const { guest } = interrupted({ fp: FINAL });
      return guest;
    },
    expected: {
      'frame-pointer': givesUp,
      // v5 gets here without any mark: FINAL is metadata.
      'sframe-v5': { trace: [...seen, pc], status: 'none', end: 'final', mark: 'none' },
      'sframe-v6': { trace: [...seen, pc], status: 'none', end: 'final', mark: 'no-sframe-entry' },
      'sframe-strict': {
        trace: [...seen, pc],
        status: 'none',
        end: 'final',
        mark: 'no-sframe-entry',
      },
      'fgraph-detect': { trace: [...seen, pc], status: 'no-sframe-entry', end: 'final' },
      'fgraph-recover': { trace: [...seen, pc], status: 'no-sframe-entry', end: 'final' },
    },
  },
  {
    title: 'v5 asks SFrame after a failed record, with fp of the last step as SP',
    build: () => {
      const guest = new Guest();
      // The caller's record is lost (8 is in no stack); the tracked SP is 0x2f80.
      const record = guest.record(on('task', 0x2f80), 8, caller);
      guest.start.fromCaller(handler, record, record - 32);
      guest.sframe(caller, { cfaOffset: 0x40, ...load });
      guest.record(on('task', 0x2fb0), FINAL, outer);
      return guest;
    },
    expected: {
      'frame-pointer': { trace: [handler, caller], status: 'stack-not-accessible' },
      'sframe-v5': { trace: [handler, caller, outer], status: 'none', end: 'final', mark: 'none' },
      'sframe-v6': { trace: [handler, caller], status: 'none', end: 'error' },
      'sframe-strict': { trace: [handler, caller], status: 'stack-not-accessible' },
      'fgraph-detect': { trace: [handler, caller], status: 'stack-not-accessible' },
      'fgraph-recover': { trace: [handler, caller], status: 'stack-not-accessible' },
    },
  },
  {
    title: 'v5 asks SFrame at the start with __builtin_frame_address(0) as SP',
    build: () => {
      const guest = new Guest();
      guest.start.fromCaller(handler, 8, on('task', 0x2f80));
      guest.sframe(handler, { cfaOffset: 0x40, ...load });
      guest.record(on('task', 0x2fb0), FINAL, outer);
      return guest;
    },
    expected: {
      'frame-pointer': { trace: [handler], status: 'stack-not-accessible' },
      'sframe-v5': { trace: [handler, outer], status: 'none', end: 'final' },
      'sframe-v6': { trace: [handler], status: 'none', end: 'error' },
      'sframe-strict': { trace: [handler], status: 'stack-not-accessible' },
      'fgraph-detect': { trace: [handler], status: 'stack-not-accessible' },
      'fgraph-recover': { trace: [handler], status: 'stack-not-accessible' },
    },
  },
  {
    title: 'v5 wants the tracked SP 8-byte aligned',
    build: () => {
      const { guest } = interrupted({ sp: on('task', 0x2f04) });
      guest.sframe(pc, { cfaBase: CfaBase.FP });
      return guest;
    },
    expected: {
      'frame-pointer': givesUp,
      'sframe-v5': refused('sp-misaligned'),
      'sframe-v6': exact,
      'sframe-strict': exact,
      'fgraph-detect': exact,
      'fgraph-recover': exact,
    },
  },
];

describe.each(rows)('$title', ({ build, expected }) => {
  it.each(ALL)('%s', (policy) => {
    expect(build().walk(policy)).toMatchObject(expected[policy]);
  });
});
