/** The SFrame step: each rule and each way it fails (SFrame spec sections 3.1.2 and 3.2). */

import { describe, expect, it } from 'vitest';
import { CfaBase, RecoverKind } from '../../unwinder/unwind-rule.js';
import { ENTRY, SFRAME, address, interrupted, on, text } from './kunwind-fixture.js';

const { LOAD_CFA, LOAD_REG, VALUE_REG, VALUE_CFA } = RecoverKind;
const saved = { raKind: LOAD_CFA, raOffset: -8, fpKind: LOAD_CFA, fpOffset: -16 };

describe.each(SFRAME)('%s: rules', (policy) => {
  it('loads RA and FP below a CFA from SP', () => {
    const { guest, pc, sp, handler, caller, outer, callerRecord } = interrupted({
      fp: 0x1111_1111_1111_1110n & ~7n,
      lr: 0x77n,
    });
    guest.sframe(pc, { cfaOffset: 0x40, ...saved });
    guest.record(sp + 0x30, callerRecord, caller);
    expect(guest.walk(policy)).toMatchObject({
      trace: [handler, ENTRY, pc, caller, outer],
      status: 'none',
      sources: ['caller', 'frame', 'regs-pc', 'frame', 'frame'],
    });
  });

  it('loads RA with FP unchanged', () => {
    const { guest, pc, sp, handler, caller, outer } = interrupted({ lr: 0n });
    guest.sframe(pc, { cfaOffset: 0x20, raKind: LOAD_CFA, raOffset: -24 });
    guest.put(sp + 8, caller);
    expect(guest.walk(policy)).toMatchObject({
      trace: [handler, ENTRY, pc, caller, outer],
      status: 'none',
    });
  });

  it('takes the CFA from FP', () => {
    const own = on('task', 0x2f80);
    const { guest, pc, handler, caller, outer, callerRecord } = interrupted({ fp: own });
    guest.record(own, callerRecord, caller);
    guest.sframe(pc, {
      cfaBase: CfaBase.FP,
      cfaOffset: 0x40,
      raKind: LOAD_CFA,
      raOffset: -0x38,
      fpKind: LOAD_CFA,
      fpOffset: -0x40,
    });
    expect(guest.walk(policy)).toMatchObject({
      trace: [handler, ENTRY, pc, caller, outer],
      status: 'none',
    });
  });

  it('strips a signed RA, loaded or in x30', () => {
    for (const rule of [{ mangled: true }, { mangled: true, cfaOffset: 0x40, ...saved }]) {
      const signed = BigInt.asUintN(48, BigInt(text(0x2020))) | 0x55aa000000000000n;
      const { guest, pc, sp, handler, caller, outer, callerRecord } = interrupted({ lr: signed });
      guest.sframe(pc, rule);
      guest.record(sp + 0x30, callerRecord, signed);
      expect(guest.walk(policy)).toMatchObject({
        trace: [handler, ENTRY, pc, caller, outer],
        status: 'none',
      });
    }
  });

  it('consumes the stack up to the RA it loaded, and no more', () => {
    // The record follows the RA's slot at once.
    const { guest, pc, sp, handler, caller, outer } = interrupted({ fp: on('task', 0x2f10) });
    guest.sframe(pc, { cfaOffset: 0x20, raKind: LOAD_CFA, raOffset: -24 });
    guest.put(sp + 8, caller);
    guest.record(sp + 16, on('task', 0x3000), text(0x6060));
    expect(guest.walk(policy)).toMatchObject({
      trace: [handler, ENTRY, pc, caller, text(0x6060), outer],
      status: 'none',
    });
    // One 8 bytes lower overlaps it.
    const { guest: second } = interrupted({ fp: on('task', 0x2f08) });
    second.sframe(pc, { cfaOffset: 0x20, raKind: LOAD_CFA, raOffset: -24 });
    second.put(sp + 8, caller);
    expect(second.walk(policy)).toMatchObject({
      trace: [handler, ENTRY, pc, caller],
      end: 'error',
    });
  });

  it('loads from an address that is not aligned', () => {
    const { guest, pc, sp, handler, caller, outer } = interrupted({ lr: 0n });
    guest.sframe(pc, { cfaOffset: 0x40, raKind: LOAD_CFA, raOffset: -5 });
    const value = BigInt.asUintN(64, BigInt(caller));
    guest.put(sp + 0x38, value << 24n);
    guest.put(sp + 0x40, value >> 40n);
    expect(guest.walk(policy).trace).toEqual([handler, ENTRY, pc, caller, outer]);
  });

  it('executes flexible rules on the saved registers', () => {
    const { guest, pc, sp, handler, caller, outer, callerRecord } = interrupted({ fp: 0n, lr: 0n });
    guest.put(on('task', 0x2d00) + 9 * 8, sp + 0x10);
    guest.put(sp + 0x10, sp + 0x40);
    guest.record(sp + 0x30, callerRecord, caller);
    guest.sframe(pc, {
      cfaBase: CfaBase.REG,
      cfaRegister: 9,
      cfaOffset: 0,
      cfaDeref: true,
      ...saved,
    });
    expect(guest.walk(policy)).toMatchObject({
      trace: [handler, ENTRY, pc, caller, outer],
      status: 'none',
    });

    const second = interrupted({ lr: 0n });
    second.guest.put(on('task', 0x2d00) + 9 * 8, second.caller);
    second.guest.sframe(pc, { raKind: VALUE_REG, raRegister: 9 });
    expect(second.guest.walk(policy)).toMatchObject({
      trace: [handler, ENTRY, pc, caller, outer],
      status: 'none',
    });

    const third = interrupted({ fp: 0n, lr: 0n });
    third.guest.put(on('task', 0x2d00) + 9 * 8, sp + 0x18);
    third.guest.record(sp + 0x20, third.callerRecord, caller);
    third.guest.sframe(pc, {
      cfaOffset: 0x40,
      raKind: LOAD_REG,
      raRegister: 9,
      raOffset: 16,
      fpKind: LOAD_REG,
      fpRegister: 9,
      fpOffset: 8,
    });
    expect(third.guest.walk(policy)).toMatchObject({
      trace: [handler, ENTRY, pc, caller, outer],
      status: 'none',
    });
  });

  // Every one of these falls back to a frame-pointer step, marks the walk, and is refused.
  it.each([
    ['cfa-misaligned', { cfaOffset: 4 }],
    ['cfa-slot-not-accessible', { cfaBase: CfaBase.REG, cfaRegister: 9, cfaDeref: true }],
    ['ra-slot-not-accessible', { cfaOffset: 0x4000, raKind: LOAD_CFA, raOffset: -8 }],
    ['ra-slot-not-accessible', { cfaOffset: 0, raKind: LOAD_CFA, raOffset: -0x200 }],
    [
      'fp-slot-not-accessible',
      { cfaOffset: 0x40, raKind: LOAD_CFA, raOffset: -8, fpKind: LOAD_CFA, fpOffset: -0x400 },
    ],
    ['rule-unsupported', { raKind: VALUE_CFA }],
    ['rule-unsupported', { fpKind: VALUE_CFA }],
  ] as const)('is marked %s', (reason, rule) => {
    const { guest, pc, handler, outer } = interrupted();
    guest.sframe(pc, rule);
    expect(guest.walk(policy)).toMatchObject({
      trace: [handler, ENTRY, pc],
      status: reason,
      mark: reason,
      end: 'refused',
      warned: 'none',
    });
    expect(guest.walk(policy, 'best-effort')).toMatchObject({
      trace: [handler, ENTRY, pc, outer],
      status: 'none',
      mark: reason,
      end: 'final',
    });
  });

  it.each([
    ['the kernel half below', on('task', 0x2e00)],
    ['the user half', 0x1000],
  ])('wants fp >= sp, as unsigned values: fp in %s', (_, fp) => {
    const { guest, pc } = interrupted({ fp });
    guest.sframe(pc, { cfaBase: CfaBase.FP });
    expect(guest.walk(policy).mark).toBe('fp-below-sp');
  });

  it('sees that x29 is not 8-byte aligned whatever it holds', () => {
    const { guest, pc } = interrupted({ fp: 0x1234_5678_9abc_def1n });
    guest.sframe(pc, {});
    expect(guest.walk(policy).mark).toBe('fp-misaligned');
  });

  it('never reads a stack that the walk may not read', () => {
    const { guest, pc } = interrupted({ sp: on('sdei-critical', 0x100) });
    guest.sframe(pc, { cfaOffset: 0x40, ...saved });
    guest.record(on('sdei-critical', 0x130), address(0xffff800082003000n), text(0x6060));
    expect(guest.walk(policy).mark).toBe('fp-slot-not-accessible');
  });
});
