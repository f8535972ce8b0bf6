import { describe, expect, it } from 'vitest';
import { Judge, TruthList } from '../../lab/judge.js';
import { type Verdict, VERDICT_COUNT, VerdictCode, VERDICTS } from '../../scenarios/verdict.js';
import { FAULT_LOOPED, REGS_PC, WARN_BAD_METADATA } from '../../unwinder/walk-reason.js';
import { WalkResult } from '../../unwinder/walk-result.js';
import { EXHAUSTIVE } from '../exhaustive.js';
import { newSeed, randomIntegers } from '../random.js';

/** Random pairs of a walk and its truth. */
const ROUNDS = EXHAUSTIVE ? 20_000 : 8_000;

/** Addresses by letter: upper case are functions, `t` and `u` lie in two trampolines. */
const BASE = -0x6000_0000_0000;
const TRAMPOLINES = [
  { start: BASE + 0x1000, end: BASE + 0x103c },
  { start: BASE + 0x2000, end: BASE + 0x2080 },
];
const ADDRESS: Readonly<Record<string, number>> = {
  t: BASE + 0x1000,
  T: BASE + 0x1020,
  u: BASE + 0x2040,
};
const address = (letter: string): number =>
  ADDRESS[letter] ?? BASE + 0x100000 + 64 * letter.charCodeAt(0);

const judge = new Judge(TRAMPOLINES);

function truthOf(text: string): TruthList {
  const truth = new TruthList();
  for (const letter of Array.from(text)) truth.push(address(letter));
  return truth;
}

function walkOf(text: string): WalkResult {
  const walk = new WalkResult();
  for (const [i, letter] of Array.from(text).entries()) walk.entries[i] = address(letter);
  walk.count = text.length;
  return walk;
}

function reliable(walk: string, truth: string): Verdict | undefined {
  return VERDICTS[judge.judgeReliable(walkOf(walk), truthOf(truth))];
}

describe('the verdict on a reliable walk', () => {
  const table: [string, string, Verdict, string][] = [
    ['ABC', 'ABC', 'exact', 'the same'],
    ['', '', 'exact', 'nothing, truly'],
    ['AtBC', 'ABC', 'exact', 'a trampoline that is not pending'],
    ['ABC', 'AtBC', 'exact', 'a pending trampoline left out'],
    ['AtBC', 'AtBC', 'exact', 'a pending trampoline listed'],
    ['tABCt', 'ABC', 'exact', 'trampolines at both ends'],
    ['ABC', 'tABCu', 'exact', 'pending trampolines at both ends'],
    ['AtuBC', 'AutBC', 'exact', 'trampolines in another order'],
    ['ATBC', 'AtBC', 'exact', 'another instruction of the trampoline'],
    ['AttBC', 'AtBC', 'exact', 'a trampoline twice'],
    ['AAAB', 'AAAB', 'exact', 'recursion'],
    ['AtAB', 'AAB', 'exact', 'recursion through a trampoline'],
    ['BC', 'ABC', 'missing', 'the innermost'],
    ['AB', 'ABC', 'missing', 'the outermost'],
    ['AC', 'ABC', 'missing', 'one in the middle'],
    ['', 'ABC', 'missing', 'all of it'],
    ['AAB', 'AAAB', 'missing', 'a level of a recursion'],
    ['AtB', 'AAB', 'missing', 'a level, a trampoline in its place'],
    ['ABCD', 'ABC', 'spurious', 'one too many, outermost'],
    ['XABC', 'ABC', 'spurious', 'one too many, innermost'],
    ['ABXC', 'ABC', 'spurious', 'one too many in the middle'],
    ['AAAB', 'AAB', 'spurious', 'a level too many'],
    ['A', '', 'spurious', 'one where nothing is pending'],
    ['AXC', 'ABC', 'missing', 'another instead: missing outweighs spurious'],
    ['XYZ', 'ABC', 'missing', 'nothing right'],
    ['XAAB', 'AAAB', 'missing', 'a level replaced'],
    ['BAC', 'ABC', 'misordered', 'two exchanged'],
    ['CBA', 'ABC', 'misordered', 'the wrong way round'],
    ['ABA', 'AAB', 'misordered', 'a recursion torn apart'],
    ['BtAC', 'ABtC', 'misordered', 'exchanged around a trampoline'],
    ['BACX', 'ABC', 'spurious', 'exchanged, and one too many'],
    ['BAX', 'ABC', 'missing', 'exchanged, and one replaced'],
  ];
  it.each(table)('%s of %s is %s: %s', (walk, truth, verdict) => {
    expect(reliable(walk, truth)).toBe(verdict);
  });

  it('is unreliable when the walk says so, whatever it lists', () => {
    for (const entries of ['ABC', 'AB', 'XYZ', '']) {
      const walk = walkOf(entries);
      walk.status = REGS_PC;
      expect(judge.judgeReliable(walk, truthOf('ABC'))).toBe(VerdictCode.UNRELIABLE);
    }
  });

  it('is warned or fault first of all, a fault before a warning', () => {
    for (const entries of ['ABC', 'AB']) {
      const walk = walkOf(entries);
      walk.status = REGS_PC;
      walk.warned = WARN_BAD_METADATA;
      expect(judge.judgeReliable(walk, truthOf('ABC'))).toBe(VerdictCode.WARNED);
      expect(judge.judgeBestEffort(walk, truthOf('ABC'))).toBe(VerdictCode.WARNED);
      walk.fault = FAULT_LOOPED;
      expect(judge.judgeReliable(walk, truthOf('ABC'))).toBe(VerdictCode.FAULT);
      expect(judge.judgeBestEffort(walk, truthOf('ABC'))).toBe(VerdictCode.FAULT);
    }
  });
});

describe('the verdict on a best-effort walk', () => {
  it.each([
    ['ABC', 0, 'exact'],
    ['ABC', REGS_PC, 'exact'],
    ['AB', REGS_PC, 'unreliable'],
    ['AB', 0, 'missing'],
    ['ABCD', 0, 'spurious'],
    ['BAC', 0, 'misordered'],
    ['XBC', REGS_PC, 'unreliable'],
  ] as const)('%s with status %d is %s', (entries, status, verdict) => {
    const walk = walkOf(entries);
    walk.status = status;
    expect(VERDICTS[judge.judgeBestEffort(walk, truthOf('ABC'))]).toBe(verdict);
  });
});

/** The definition, by sorting and counting. */
function model(walk: string, truth: string): Verdict {
  const required = (text: string) => Array.from(text).filter((letter) => !'tTu'.includes(letter));
  const [listed, pending] = [required(walk), required(truth)];
  if (listed.join('') === pending.join('')) return 'exact';
  const count = (list: string[], letter: string) => list.filter((each) => each === letter).length;
  const letters = new Set([...listed, ...pending]);
  if ([...letters].some((one) => count(listed, one) < count(pending, one))) return 'missing';
  if ([...letters].some((one) => count(listed, one) > count(pending, one))) return 'spurious';
  return 'misordered';
}

describe('Judge', () => {
  it('agrees with the definition on random traces, one judge for all of them', () => {
    const seed = newSeed();
    const random = randomIntegers(seed);
    const seen = new Map<string, number>();
    for (let round = 0; round < ROUNDS; round++) {
      const pick = () => 'ABCtTu'[random(6)] ?? 'A';
      const truth = Array.from({ length: random(7) }, pick).join('');
      let walk = truth;
      for (let edits = random(4); edits > 0; edits--) {
        const at = random(walk.length + 1);
        const other = Array.from(walk);
        if (random(3) === 0) other.splice(at, 1);
        else if (random(2) === 0) other.splice(at, 0, pick());
        else other.splice(at, 2, ...other.slice(at, at + 2).reverse());
        walk = other.join('');
      }
      const expected = model(walk, truth);
      seen.set(expected, (seen.get(expected) ?? 0) + 1);
      expect(reliable(walk, truth), `KUNWIND_SEED=${seed} ${walk} of ${truth}`).toBe(expected);
    }
    for (const verdict of ['exact', 'missing', 'spurious', 'misordered']) {
      expect(seen.get(verdict), verdict).toBeGreaterThan(100);
    }
  });

  it('takes the bounds of a trampoline exactly', () => {
    for (const { start, end } of TRAMPOLINES) {
      const inside = [start - 4, start, end - 4, end].map((at) => judge.isOptional(at));
      expect(inside).toEqual([false, true, true, false]);
    }
    expect(new Judge([]).isOptional(address('t'))).toBe(false);
  });
});

describe('verdict codes', () => {
  it('are the names in their order', () => {
    expect(VERDICT_COUNT).toBe(VERDICTS.length);
    for (const [name, code] of Object.entries(VerdictCode)) {
      expect(VERDICTS[code]).toBe(name.toLowerCase());
    }
  });
});

describe('TruthList', () => {
  it('is filled and emptied', () => {
    const truth = truthOf('ABC');
    expect([...truth.addresses.subarray(0, truth.count)]).toEqual(Array.from('ABC').map(address));
    truth.clear();
    expect(truth.count).toBe(0);
    for (let i = 0; i < 10_000; i++) truth.push(i);
    expect(truth.count).toBe(8192);
  });

  it('knows interrupted instructions from return addresses', () => {
    const truth = new TruthList();
    truth.push(address('A'), 1);
    truth.push(address('B'));
    truth.push(address('C'), 1);
    expect(Array.from('ABCD').filter((letter) => truth.isInterrupted(address(letter)))).toEqual([
      'A',
      'C',
    ]);
    truth.clear();
    truth.push(address('A'));
    expect(truth.isInterrupted(address('A'))).toBe(false);
  });
});
