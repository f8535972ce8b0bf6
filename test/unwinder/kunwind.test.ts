/** Frame-pointer steps, metadata records and stacks: what every policy does alike. */

import { describe, expect, it } from 'vitest';
import {
  ALL,
  ENTRY,
  FINAL,
  Guest,
  SFRAME,
  address,
  interrupted,
  on,
  text,
} from './kunwind-fixture.js';

const A = text(0x1004);
const B = text(0x2004);
const C = text(0x3004);

/** FINAL <- B <- A <- walk start in C. */
function chain(): Guest {
  const guest = new Guest();
  const outer = guest.record(on('task', 0x3000), FINAL, B);
  const inner = guest.record(on('task', 0x2f80), outer, A);
  guest.start.fromCaller(C, inner, inner - 32);
  return guest;
}

describe.each(ALL)('%s: frame records', (policy) => {
  it('walks from the caller to the final record', () => {
    expect(chain().walk(policy)).toEqual({
      trace: [C, A, B],
      status: 'none',
      end: 'final',
      error: 'none',
      mark: 'none',
      warned: 'none',
      fault: 'none',
      sources: ['caller', 'frame', 'frame'],
    });
  });

  it('walks a blocked task, on its own stack only', () => {
    const guest = chain();
    guest.task.isCurrent = false;
    guest.start.fromTask(C, on('task', 0x2f80), 0);
    expect(guest.walk(policy)).toMatchObject({
      trace: [C, A, B],
      status: 'none',
      sources: ['task', 'frame', 'frame'],
    });
    guest.record(on('irq', 0x3000), on('task', 0x2f80), A);
    guest.start.fromTask(C, on('irq', 0x3000), 0);
    expect(guest.walk(policy)).toMatchObject({ trace: [C], end: 'error' });
  });

  it('strips signed return addresses', () => {
    const guest = chain();
    // Bits 63:56 and 54:48 hold the code, bit 55 stays: 0xffff... becomes 0x12c5....
    const signed = (pc: number, code: bigint): bigint => BigInt.asUintN(48, BigInt(pc)) | code;
    guest.put(on('task', 0x2f88), signed(A, 0x12c5_0000_0000_0000n));
    guest.put(on('task', 0x3008), signed(B, 0xff80_0000_0000_0000n));
    expect(guest.walk(policy)).toMatchObject({ trace: [C, A, B], status: 'none' });
  });

  it('strips with bit 55 clear to the user half', () => {
    const guest = chain();
    guest.put(on('task', 0x2f88), 0xff7f_0000_1234_5678n);
    expect(guest.walk(policy).trace).toEqual([C, 0x12345678, B]);
  });

  it.each([
    ['not 8-byte aligned', on('task', 0x3004), 'fp-misaligned'],
    ['in no stack', address(0xffff800090000000n), 'stack-not-accessible'],
    ['below what was consumed', on('task', 0x2f80), 'stack-not-accessible'],
    ['in the last 8 bytes of a stack', on('task', 0x3ff8), 'stack-not-accessible'],
    ['on the SDEI stack outside of NMI', on('sdei-normal', 0x100), 'stack-not-accessible'],
    ['garbage', 0x0123_4567_89ab_cde8n, 'stack-not-accessible'],
    ['misaligned garbage that a number cannot hold', 0x0123_4567_89ab_cdedn, 'fp-misaligned'],
  ])('fails where fp is %s', (_, fp, reason) => {
    const guest = chain();
    guest.put(on('task', 0x2f80), fp);
    const result = guest.walk(policy);
    expect(result).toMatchObject({ trace: [C, A], end: 'error', warned: 'none' });
    // sframe-v5 asks SFrame after that, which has nothing for A, and so tries fp as metadata.
    if (policy !== 'sframe-v5') expect(result.error).toBe(reason);
    const dropped = policy === 'sframe-v5' || policy === 'sframe-v6';
    expect(result.status).toBe(dropped ? 'none' : reason);
  });

  it('takes FINAL for the end only where the task has it', () => {
    const guest = chain();
    guest.put(on('task', 0x3000), on('task', 0x3100));
    guest.put(on('task', 0x3110), 1n);
    expect(guest.walk(policy)).toMatchObject({
      trace: [C, A, B],
      end: 'error',
      error: 'misplaced-final',
      warned: 'misplaced-final',
    });
    guest.task.isCurrent = false;
    expect(guest.walk(policy).warned).toBe('none');
  });

  it.each([0n, 3n, 0x1_0000_0001n, 0x1_0000_0002n])('refuses metadata of type %d', (type) => {
    const guest = chain();
    guest.put(on('task', 0x3000), on('task', 0x3200));
    guest.put(on('task', 0x3210), type);
    expect(guest.walk(policy)).toMatchObject({
      error: 'bad-metadata',
      warned: 'bad-metadata',
      end: 'error',
    });
  });

  it('refuses a pt_regs that is not wholly in the stack', () => {
    const guest = chain();
    guest.record(on('task', 0x3000), on('irq', 0x100), B);
    guest.put(on('irq', 0x110), 2n);
    expect(guest.walk(policy)).toMatchObject({
      trace: [C, A, B],
      error: 'pt-regs-not-accessible',
      end: 'error',
    });
  });

  it('refuses a metadata record whose type is beyond the stack', () => {
    const guest = chain();
    guest.put(on('task', 0x3000), on('irq', 0x3ff0));
    expect(guest.walk(policy)).toMatchObject({ error: 'metadata-not-accessible', end: 'error' });
  });

  it('goes from the IRQ stack to the task stack and never back', () => {
    const guest = chain();
    guest.record(on('task', 0x2f80), on('irq', 0x3f00), A);
    guest.record(on('irq', 0x3f00), on('task', 0x3000), B);
    guest.start.fromCaller(C, on('irq', 0x3e00), 0);
    guest.record(on('irq', 0x3e00), on('task', 0x2f80), text(0x4004));
    expect(guest.walk(policy)).toMatchObject({ trace: [C, text(0x4004), A], end: 'error' });
  });

  it('takes an SDEI boundary for an ordinary call, in NMI', () => {
    const guest = chain();
    guest.start.fromCaller(C, on('sdei-normal', 0x3f00), 0);
    guest.record(on('sdei-normal', 0x3f00), on('task', 0x2f80), text(0x7004));
    guest.task.inNmi = true;
    expect(guest.walk(policy)).toMatchObject({
      trace: [C, text(0x7004), A, B],
      status: 'none',
      end: 'final',
    });
  });

  it('gives up on a trace without end', () => {
    const guest = new Guest();
    let next: number = FINAL;
    for (let i = 0; i < 600; i++) next = guest.record(on('task', 0x3ec0 - 16 * i), next, A);
    guest.start.fromCaller(C, next, 0);
    expect(guest.walk(policy)).toMatchObject({ status: 'trace-full', end: 'final', fault: 'none' });
    expect(guest.walk(policy).trace).toHaveLength(512);
  });
});

describe.each(ALL)('%s: the stacks a walk reads', (policy) => {
  it('opens the stack of the task walked, not that of another', () => {
    const guest = chain();
    guest.stacks.push({
      kind: 'task',
      low: address(0xffff800089000000n),
      high: address(0xffff800089004000n),
      words: new Uint32Array(0x1000),
    });
    guest.record(on('task', 0x3000), address(0xffff800089003000n), B);
    guest.record(address(0xffff800089003000n), FINAL, B);
    expect(guest.walk(policy)).toMatchObject({ trace: [C, A, B], end: 'error' });
  });

  it('reads what the guest has written meanwhile', () => {
    const guest = chain();
    guest.walk(policy);
    guest.put(on('task', 0x3008), text(0x9004));
    expect(guest.walk(policy).trace).toEqual([C, A, text(0x9004)]);
  });
});

describe('exception boundaries', () => {
  it.each(SFRAME)('%s: a leaf returns to x30, once', (policy) => {
    const { guest, pc, handler, caller, outer } = interrupted();
    guest.sframe(pc, {});
    expect(guest.walk(policy)).toMatchObject({
      trace: [handler, ENTRY, pc, caller, outer],
      status: 'none',
      end: 'final',
      sources: ['caller', 'frame', 'regs-pc', 'regs-lr', 'frame'],
    });
  });

  it('frame-pointer gives up before the interrupted PC, or goes on without x30', () => {
    const { guest, pc, handler, outer } = interrupted();
    expect(guest.walk('frame-pointer')).toMatchObject({
      trace: [handler, ENTRY],
      status: 'regs-pc',
      end: 'refused',
    });
    expect(guest.walk('frame-pointer', 'best-effort')).toMatchObject({
      trace: [handler, ENTRY, pc, outer],
      status: 'none',
      end: 'final',
    });
  });

  it.each(ALL)('%s: consumes the whole pt_regs', (policy) => {
    // x29 points into the pt_regs that was just taken: 16 bytes below its end.
    const { guest, pc, handler } = interrupted({ fp: on('task', 0x2f00 - 0x200 + 304) });
    expect(guest.walk(policy, 'best-effort')).toMatchObject({
      trace: [handler, ENTRY, pc],
      end: 'error',
    });
  });

  it.each(SFRAME)('%s: starts from registers', (policy) => {
    const { guest, pc, caller, outer } = interrupted();
    guest.sframe(pc, {});
    const stack = guest.stacks[0] as { low: number; words: Uint32Array };
    guest.start.fromRegs(stack.words, (on('task', 0x2f00 - 0x200) - stack.low) / 4);
    expect(guest.walk(policy, 'best-effort')).toMatchObject({
      trace: [pc, caller, outer],
      end: 'final',
      sources: ['regs-pc', 'regs-lr', 'frame'],
    });
  });
});
