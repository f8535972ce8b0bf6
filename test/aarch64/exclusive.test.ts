import { expect, it } from 'vitest';
import { ExclusiveEffect, exclusiveEffect } from '../../aarch64/exclusive.js';
import { assemble } from '../assembled.js';

it('knows what opens and closes the exclusive monitor', () => {
  const effect = (word: number): number => exclusiveEffect(word);
  // ldxr x1, [x0]; ldaxr w1, [x0]; ldxp x1, x2, [x0]
  expect([0xc85f7c01, 0x885ffc01, 0xc87f0801].map(effect)).toEqual([1, 1, 1]);
  // stxr w2, x1, [x0]; stlxr w2, w1, [x0]; stxp w3, x1, x2, [x0]; clrex
  expect([0xc8027c01, 0x8802fc01, 0xc8230801, 0xd5033f5f].map(effect)).toEqual([2, 2, 2, 2]);
  // ldar x1, [x0]; stlr x1, [x0]; casp x0, x1, x2, x3, [x4]; ldr x1, [x0]; dmb ish
  const none = [0xc8dffc01, 0xc89ffc01, 0x48207c82, 0xf9400001, 0xd5033bbf];
  expect(none.map(effect)).toEqual(none.map(() => ExclusiveEffect.NONE));
  expect(effect(assemble('nop')[0] ?? 0)).toBe(ExclusiveEffect.NONE);
});
