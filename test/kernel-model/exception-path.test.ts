import { describe, expect, it } from 'vitest';
import { KIND_COUNT } from '../../kernel-model/exception-kind.js';
import {
  type ExceptionPath,
  ExceptionPaths,
  MASK_STATES,
  STACK_SLOTS,
} from '../../kernel-model/exception-path.js';

function path(changes: Partial<ExceptionPath> = {}): ExceptionPath {
  return {
    addresses: Float64Array.of(-8, -4),
    instructions: 3,
    spDelta: -320,
    spAbsolute: NaN,
    ...changes,
  };
}

describe('ExceptionPaths', () => {
  it('has a slot for each kind, stack and mask state', () => {
    const slots = new Set<number>();
    for (let kind = 0; kind < KIND_COUNT; kind++) {
      for (let stack = 0; stack < STACK_SLOTS; stack++) {
        for (let masks = 0; masks < MASK_STATES; masks++) {
          slots.add(ExceptionPaths.slot(kind, stack, masks));
        }
      }
    }
    expect(slots.size).toBe(KIND_COUNT * STACK_SLOTS * MASK_STATES);
    expect(Math.max(...slots)).toBe(slots.size - 1);
  });

  it('is asked for a path that it does not know, then knows it, and has it audited', () => {
    const paths = new ExceptionPaths();
    const [known, other] = [path(), path()];
    const slot = ExceptionPaths.slot(1, 2, 3);
    expect(paths.use(slot)).toBeUndefined();
    expect(paths.learn(slot, known)).toBe(true);
    expect(paths.use(slot)).toBe(known);
    expect(paths.use(slot + 1)).toBeUndefined();
    let audits = 0;
    for (let i = 0; i < 4096; i++) {
      if (paths.use(slot) === undefined) {
        audits++;
        expect(paths.learn(slot, other)).toBe(true);
      }
    }
    expect(audits).toBe(4);
    paths.clear();
    expect(paths.use(slot)).toBeUndefined();
    expect(paths.learn(slot, path({ spDelta: 0 }))).toBe(true);
  });

  it.each([
    { addresses: Float64Array.of(-8) },
    { addresses: Float64Array.of(-8, -4, 0) },
    { addresses: Float64Array.of(-8, -12) },
    { spDelta: -336 },
    { spAbsolute: -4096 },
  ])('refuses a path that differs: %o', (changes) => {
    const paths = new ExceptionPaths();
    expect(paths.learn(0, path())).toBe(true);
    expect(paths.learn(0, path())).toBe(true);
    expect(paths.learn(0, path(changes))).toBe(false);
  });

  it('does not mind how many instructions it took', () => {
    const paths = new ExceptionPaths();
    paths.learn(0, path());
    expect(paths.learn(0, path({ instructions: 99 }))).toBe(true);
  });
});
