import { describe, expect, it } from 'vitest';
import { KIND_COUNT } from '../../kernel-model/exception-kind.js';
import { type CellKey, DEPTH_COUNT, MODE_COUNT, MODES, Tally } from '../../sweep/tally.js';
import { VERDICT_COUNT } from '../../scenarios/verdict.js';
import { newSeed, randomIntegers } from '../random.js';

const add = (tally: Tally, { fn, kind, depth, policy, mode, verdict }: CellKey): number => {
  tally.reserve(fn);
  return tally.add(tally.index(fn, kind, depth, policy, mode, verdict));
};

describe('Tally', () => {
  it.each([1, 5, 9])('gives back the keys of random cells, with %d policies', (policies) => {
    const seed = newSeed();
    const random = randomIntegers(seed);
    const tally = new Tally(policies);
    const expected = new Map<string, number>();
    for (let round = 0; round < 500; round++) {
      const key: CellKey = {
        fn: random(512),
        kind: random(KIND_COUNT),
        depth: 1 + random(DEPTH_COUNT),
        policy: random(policies),
        mode: random(MODE_COUNT),
        verdict: random(VERDICT_COUNT),
      };
      const text = JSON.stringify(key);
      const count = (expected.get(text) ?? 0) + 1;
      expected.set(text, count);
      expect(add(tally, key), `KUNWIND_SEED=${seed} ${text}`).toBe(count);
    }
    const seen = new Map<string, number>();
    for (const { key, count } of tally.entries()) seen.set(JSON.stringify(key), count);
    expect(new Map([...seen].sort())).toEqual(new Map([...expected].sort()));
  });

  it('has a cell of its own for every key', () => {
    const tally = new Tally(3);
    const indices = new Set<number>();
    let keys = 0;
    for (let fn = 0; fn < 3; fn++) {
      for (let kind = 0; kind < KIND_COUNT; kind++) {
        for (let depth = 1; depth <= DEPTH_COUNT; depth++) {
          for (let policy = 0; policy < 3; policy++) {
            for (let mode = 0; mode < MODE_COUNT; mode++) {
              for (let verdict = 0; verdict < VERDICT_COUNT; verdict++, keys++) {
                indices.add(tally.index(fn, kind, depth, policy, mode, verdict));
              }
            }
          }
        }
      }
    }
    expect(indices.size).toBe(keys);
    expect([Math.min(...indices), Math.max(...indices)]).toEqual([0, keys - 1]);
  });

  it('keeps its counts when it grows', () => {
    const tally = new Tally(2);
    const key = { fn: 0, kind: 1, depth: 2, policy: 1, mode: 0, verdict: 3 };
    for (const fn of [0, 7, 8, 100, 511, 3]) {
      add(tally, { ...key, fn });
      add(tally, { ...key, fn });
    }
    const counts = [...tally.entries()].map((entry) => [entry.key.fn, entry.count]);
    expect(counts).toEqual([0, 3, 7, 8, 100, 511].map((fn) => [fn, 2]));
  });

  it('counts reasons by policy', () => {
    const tally = new Tally(2);
    for (const reason of [0, 1, 1, 31]) tally.addReason(1, reason);
    tally.addReason(0, 31);
    expect([0, 1, 31].map((reason) => tally.reasonCount(1, reason))).toEqual([1, 2, 1]);
    expect([0, 1, 31].map((reason) => tally.reasonCount(0, reason))).toEqual([0, 0, 1]);
  });

  it('is empty at first', () => {
    expect([...new Tally(5).entries()]).toEqual([]);
    expect(new Tally(5).points).toBe(0);
    expect(MODES).toHaveLength(MODE_COUNT);
  });
});
