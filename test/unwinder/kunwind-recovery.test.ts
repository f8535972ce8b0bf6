/** Return addresses that tracers replaced. */

import { describe, expect, it } from 'vitest';
import { RecoverKind } from '../../unwinder/unwind-rule.js';
import {
  ALL,
  ENTRY,
  FINAL,
  Guest,
  KRETPROBE_TRAMPOLINE,
  RETURN_TO_HANDLER,
  SFRAME,
  interrupted,
  on,
  text,
} from './kunwind-fixture.js';

const R = RETURN_TO_HANDLER;
const A = text(0x1004);
const B = text(0x2004);
const C = text(0x3004);
/** The frame record of the traced function's caller: what x29 was when it was called. */
const F = on('task', 0x3000);

/** C, traced or probed, was called from A, which was called from B: C's record says `lr`. */
function traced(lr: number): Guest {
  const guest = new Guest();
  guest.record(F, FINAL, B);
  guest.start.fromCaller(C, guest.record(on('task', 0x2f80), F, lr), 0);
  return guest;
}

describe.each(ALL)('%s: function graph', (policy) => {
  it('finds the entry of the frame', () => {
    const guest = traced(R);
    guest.graph([text(0x9004), FINAL], [A, F], [text(0xa004), on('task', 0x2f80)]);
    expect(guest.walk(policy)).toMatchObject({ trace: [C, A, B], status: 'none', warned: 'none' });
  });

  it('takes the real address of a tail-call chain', () => {
    const guest = traced(R);
    guest.graph([A, F], [R, F], [R, F]);
    expect(guest.walk(policy)).toMatchObject({ trace: [C, A, B], status: 'none' });
  });

  it('recovers a signed trampoline address', () => {
    const guest = traced(R);
    guest.put(on('task', 0x2f88), BigInt.asUintN(48, BigInt(R)) | 0x3a9b000000000000n);
    guest.graph([A, F]);
    expect(guest.walk(policy).trace).toEqual([C, A, B]);
  });

  it.each([[[]], [[[A, F + 16]]], [[[R, F]]]] as [[number, number][]][])(
    'fails without a match: %j',
    (entries) => {
      const guest = traced(R);
      guest.graph(...entries);
      const dropped = policy === 'sframe-v5' || policy === 'sframe-v6';
      expect(guest.walk(policy)).toMatchObject({
        trace: [C],
        status: dropped ? 'none' : 'graph-unrecovered',
        error: 'graph-unrecovered',
        warned: 'graph-unrecovered',
      });
      guest.task.isCurrent = false;
      expect(guest.walk(policy)).toMatchObject({ trace: [C], warned: 'none' });
    },
  );

  it('recovers before the first entry is reported', () => {
    const guest = traced(A);
    guest.graph([C, F]);
    guest.start.fromCaller(R, F, 0);
    expect(guest.walk(policy)).toMatchObject({ trace: [C, B], status: 'none' });
    guest.graph();
    expect(guest.walk(policy)).toMatchObject({ trace: [], error: 'graph-unrecovered' });
  });

  it('goes down the return stack, and from the top again after its oldest entry', () => {
    const guest = traced(R);
    guest.record(F, FINAL, R);
    guest.graph([B, FINAL], [A, F]);
    expect(guest.walk(policy)).toMatchObject({ trace: [C, A, B], status: 'none' });
    // The other way round the older entry is found first; the newer one is found none the less.
    guest.graph([A, F], [B, FINAL]);
    expect(guest.walk(policy)).toMatchObject({ trace: [C, A, B], status: 'none' });
  });

  it('leaves the trampoline in the trace of a task without a return stack', () => {
    const guest = traced(R);
    const detect = policy === 'fgraph-detect' || policy === 'fgraph-recover';
    expect(guest.walk(policy)).toMatchObject({
      trace: detect ? [C] : [C, R, B],
      status: detect ? 'graph-unrecovered' : 'none',
      warned: 'none',
    });
  });
});

describe.each(SFRAME)('%s: x30 is the trampoline', (policy) => {
  it('recovers with the unchanged fp', () => {
    const { guest, pc, handler, outer } = interrupted({ lr: R });
    guest.sframe(pc, {});
    guest.graph([A, F]);
    expect(guest.walk(policy)).toMatchObject({
      trace: [handler, ENTRY, pc, A, outer],
      status: 'none',
      sources: ['caller', 'frame', 'regs-pc', 'regs-lr', 'frame'],
    });
  });
});

describe('interrupted at the first byte of return_to_handler', () => {
  const build = (): ReturnType<typeof interrupted> => {
    const at = interrupted({ pc: R, lr: R });
    at.guest.graph([A, F]);
    // A's row, with the SP it called with; its own frame is the record at F.
    at.guest.sframe(A, {
      cfaOffset: 0x140,
      raKind: RecoverKind.LOAD_CFA,
      raOffset: -0x38,
      fpKind: RecoverKind.LOAD_CFA,
      fpOffset: -0x40,
    });
    return at;
  };

  it.each(['sframe-v5', 'sframe-v6', 'sframe-strict'] as const)(
    '%s goes on by SFrame of the caller',
    (policy) => {
      const { guest, handler, outer } = build();
      expect(guest.walk(policy)).toMatchObject({
        trace: [handler, ENTRY, A, outer],
        status: 'none',
        sources: ['caller', 'frame', 'regs-pc', 'frame'],
      });
    },
  );

  it('fgraph-detect by its frame record', () => {
    const { guest, handler, outer } = build();
    expect(guest.walk('fgraph-detect')).toMatchObject({
      trace: [handler, ENTRY, A, outer],
      status: 'none',
      sources: ['caller', 'frame', 'frame', 'frame'],
    });
  });
});

describe('inside return_to_handler', () => {
  const offsets = Array.from({ length: 14 }, (_, i) => 4 * (i + 1));

  it.each(offsets)('+%i, interrupted there', (offset) => {
    const { guest, handler, outer } = interrupted({ pc: R + offset, sp: on('task', 0x2f00 - 112) });
    guest.graph([A, F]);
    expect(guest.walk('fgraph-detect')).toMatchObject({
      trace: [handler, ENTRY, A, outer],
      status: 'none',
      warned: 'none',
    });
    for (const policy of ['sframe-v6', 'sframe-strict'] as const) {
      expect(guest.walk(policy)).toMatchObject({
        trace: [handler, ENTRY, R + offset],
        status: 'no-sframe-entry',
      });
    }
    // The window: the entry is gone.
    guest.graph();
    expect(guest.walk('fgraph-detect')).toMatchObject({
      trace: [handler, ENTRY],
      status: 'graph-unrecovered',
      end: 'refused',
      warned: 'none',
    });
    expect(guest.walk('fgraph-detect', 'best-effort')).toMatchObject({
      trace: [handler, ENTRY, R + offset, outer],
      end: 'final',
      mark: 'graph-unrecovered',
    });
  });

  it('ends one byte past the last', () => {
    const { guest, pc, handler, outer, caller } = interrupted({ pc: R + 60 });
    guest.graph([A, F]);
    guest.sframe(pc, {});
    expect(guest.walk('fgraph-detect').trace).toEqual([handler, ENTRY, R + 60, caller, outer]);
  });

  it('as the return address of its callee: skipped by all, recovered by fgraph-detect', () => {
    const guest = traced(R + 0x20);
    guest.graph([A, F]);
    for (const policy of ['frame-pointer', 'sframe-v5', 'sframe-v6', 'sframe-strict'] as const) {
      // The fgraph issue: A is missing, and the trace is called reliable.
      expect(guest.walk(policy)).toMatchObject({ trace: [C, R + 0x20, B], status: 'none' });
    }
    expect(guest.walk('fgraph-detect')).toMatchObject({ trace: [C, A, B], status: 'none' });
    guest.graph();
    expect(guest.walk('fgraph-detect')).toMatchObject({
      trace: [C],
      status: 'graph-unrecovered',
      warned: 'none',
    });
  });

  it('in x30 of its callee', () => {
    const { guest, pc, handler, outer } = interrupted({ lr: R + 0x20 });
    guest.sframe(pc, {});
    guest.graph([A, F]);
    expect(guest.walk('fgraph-detect')).toMatchObject({
      trace: [handler, ENTRY, pc, A, outer],
      status: 'none',
    });
  });

  it('after the first pop of a tail-call chain', () => {
    const guest = traced(R + 0x20);
    guest.graph([A, F], [R, F]);
    expect(guest.walk('fgraph-detect').trace).toEqual([C, A, B]);
    guest.graph([A, F]);
    expect(guest.walk('fgraph-detect').trace).toEqual([C, A, B]);
  });

  it('in the plain record of an SDEI event', () => {
    const guest = traced(A);
    guest.task.inNmi = true;
    guest.graph([A, F]);
    guest.start.fromCaller(C, guest.record(on('sdei-normal', 0x3f00), F, R + 0x24), 0);
    expect(guest.walk('fgraph-detect')).toMatchObject({ trace: [C, A, B], status: 'none' });
  });
});

describe.each(ALL)('%s: kretprobes', (policy) => {
  const T = KRETPROBE_TRAMPOLINE;

  it('finds the instance of the frame, passing over replaced addresses', () => {
    const guest = traced(T);
    guest.kretprobe([text(0x9004), on('task', 0x2e00)], [T, F], [A, F], [B, F]);
    expect(guest.walk(policy)).toMatchObject({ trace: [C, A, B], status: 'none' });
  });

  it('goes on after the instance found last', () => {
    const guest = traced(T);
    guest.record(F, FINAL, T);
    guest.kretprobe([A, F], [B, FINAL]);
    expect(guest.walk(policy)).toMatchObject({ trace: [C, A, B], status: 'none' });
    guest.kretprobe([B, FINAL], [A, F]);
    expect(guest.walk(policy)).toMatchObject({
      trace: [C, A],
      error: 'kretprobe-unrecovered',
      warned: 'none',
    });
  });

  it('fails without a match', () => {
    const guest = traced(T);
    guest.kretprobe([A, F + 16]);
    expect(guest.walk(policy)).toMatchObject({
      trace: [C],
      error: 'kretprobe-unrecovered',
      end: 'error',
      warned: 'none',
    });
  });

  it('is undone after function graph, and not the other way round', () => {
    const guest = traced(R);
    guest.graph([T, F]);
    guest.kretprobe([A, F]);
    expect(guest.walk(policy)).toMatchObject({ trace: [C, A, B], status: 'none' });
    const other = traced(T);
    other.kretprobe([R, F]);
    other.graph([A, F]);
    const detect = policy === 'fgraph-detect' || policy === 'fgraph-recover';
    expect(other.walk(policy)).toMatchObject({
      trace: detect ? [C] : [C, R, B],
      status: detect ? 'graph-unrecovered' : 'none',
    });
  });
});
