import { describe, expect, it } from 'vitest';
import { KIND_COUNT, KIND_NAMES, kindSet, Kind } from '../../kernel-model/exception-kind.js';
import { formatPoint, parsePoint, type Point } from '../../lab/point.js';

describe('a point', () => {
  it.each([
    ['0:irq', { index: 0, kind: Kind.IRQ }],
    ['12:nmi', { index: 12, kind: Kind.NMI }],
    ['999999999:serror', { index: 999_999_999, kind: Kind.SERROR }],
    ['12:irq/40:sdei', { index: 12, kind: Kind.IRQ, inner: { index: 40, kind: Kind.SDEI } }],
    ['3:brk/0:brk', { index: 3, kind: Kind.BRK, inner: { index: 0, kind: Kind.BRK } }],
  ])('%s is written and read', (text, point) => {
    expect(parsePoint(text)).toEqual(point);
    expect(formatPoint(point)).toBe(text);
  });

  it('of every kind comes back', () => {
    for (let kind = 0; kind < KIND_COUNT; kind++) {
      for (let inner = -1; inner < KIND_COUNT; inner++) {
        const point: Point = {
          index: 7 * kind,
          kind,
          ...(inner < 0 ? {} : { inner: { index: 11 * inner, kind: inner } }),
        };
        expect(parsePoint(formatPoint(point))).toEqual(point);
      }
    }
  });

  it.each([
    '',
    '/',
    ':',
    '12',
    '12:',
    ':irq',
    '12:fiq',
    '12:IRQ',
    '-1:irq',
    '1.5:irq',
    '1e3:irq',
    '0x10:irq',
    '1000000000:irq',
    ' 12:irq',
    '12:irq ',
    '12:irq\n',
    '12 :irq',
    '12:irq/',
    '/12:irq',
    '12:irq/40',
    '12:irq/40:fiq',
    'x/12:irq',
    '12:irq//40:nmi',
    '12:irq/40:nmi/1:brk',
    '12:irq/40:nmi/x',
    '12:constructor',
  ])('%j is none', (text) => {
    expect(parsePoint(text)).toBeUndefined();
  });
});

describe('kindSet', () => {
  it('has a bit per kind', () => {
    expect(kindSet([])).toBe(0);
    expect(kindSet(['irq', 'serror', 'irq'])).toBe(0b10001);
    expect(kindSet(KIND_NAMES)).toBe((1 << KIND_COUNT) - 1);
  });
});
