import { describe, expect, it } from 'vitest';
import { RuleTable } from '../../unwinder/rule-table.js';
import { decodeSFrame } from '../../unwinder/sframe/decode.js';
import { sframeJson } from '../../unwinder/sframe/dump-json.js';
import { dumpSFrame } from '../../unwinder/sframe/dump.js';
import { formatSFrameError } from '../../unwinder/sframe/error.js';
import { EXHAUSTIVE, sample } from '../exhaustive.js';
import { encodeSFrame } from './sframe-encoder.js';
import { samples } from './sframe-samples.js';

/** Decodes, and uses everything a section offers; true when it decoded. Must not throw. */
function exercise(bytes: Uint8Array, address: number): boolean {
  const section = decodeSFrame(bytes, address);
  if (!section.ok) {
    const { error } = section;
    const line = formatSFrameError(error);
    check(!/\n|undefined|NaN/.test(line), line);
    // A field that is missing altogether lies past the end.
    const last = error.kind === 'truncated' ? Math.max(4, bytes.length) : bytes.length - 1;
    check(error.offset >= 0 && error.offset <= last, line);
    return false;
  }
  const { functions, rows } = section.value;
  check(rows.count * 2 <= bytes.length, 'more rows than bytes');
  const table = new RuleTable([section.value]);
  for (const start of functions.start) {
    for (const delta of [-4, 0, 2, 4, 8, 28, 0x1000]) {
      const rule = table.find(start + delta);
      check(rule >= -1 && rule < table.count, 'no such rule');
    }
  }
  let lines = 0;
  for (const line of dumpSFrame(section.value)) {
    check(!/undefined|NaN/.test(line) || line.endsWith('RA undefined'), line);
    lines++;
  }
  check(lines >= 9 + 3 * functions.count + rows.count, 'lines are missing');
  check(sframeJson(section.value).functions.length === functions.count, 'functions are missing');
  return true;
}

/** Vitest's expect() would take most of the time here. */
function check(condition: boolean, message: string): void {
  if (!condition) throw new Error(message);
}

/** xorshift32: the same numbers on every machine. */
function randomSource(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Bytes of a section that are changed, of 200, and sections that are made at random. */
const CHANGED = 25;
const MUTANTS = EXHAUSTIVE ? 20_000 : 2_000;

describe('hostile SFrame sections', () => {
  it.each(samples)('$name: cut at every byte', ({ spec }) => {
    const whole = encodeSFrame(spec);
    for (let length = 0; length < whole.length; length++) {
      exercise(whole.subarray(0, length), spec.address);
    }
    expect(exercise(whole, spec.address)).toBe(true);
  });

  it.each(samples)('$name: bytes set to each of 9 values', ({ spec }) => {
    const whole = encodeSFrame(spec);
    const all = Array.from({ length: Math.min(whole.length, 200) }, (_, at) => at);
    for (const at of sample(all, CHANGED)) {
      const old = whole[at] as number;
      for (const value of [0, 1, 2, 3, 0x10, 0x7f, 0x80, 0xff, old ^ 0x20]) {
        whole[at] = value;
        exercise(whole, spec.address);
      }
      whole[at] = old;
    }
  });

  it(`mutated at random, ${MUTANTS} times`, () => {
    const random = randomSource(0x5f3a3e);
    const originals = samples.map(({ spec }) => ({ spec, bytes: encodeSFrame(spec) }));
    let decoded = 0;
    let refused = 0;
    for (let i = 0; i < MUTANTS; i++) {
      const original = originals[i % originals.length];
      if (original === undefined) throw new Error('no samples');
      const bytes = original.bytes.slice();
      for (let n = 1 + random(4); n > 0; n--) {
        const at = random(bytes.length);
        // Mostly past the preamble, where a change is not refused at once.
        bytes[at < 5 && random(8) > 0 ? bytes.length - 1 - at : at] = random(256);
      }
      const length = random(10) === 0 ? random(bytes.length + 1) : bytes.length;
      if (exercise(bytes.subarray(0, length), original.spec.address)) decoded++;
      else refused++;
    }
    // Both ends of the decoder were really reached.
    expect(decoded).toBeGreaterThan(MUTANTS / 10);
    expect(refused).toBeGreaterThan(MUTANTS / 10);
  });

  it('takes time and memory for what is there, not for what is claimed', () => {
    // 5000 functions that all claim the same 60,000 rows.
    const count = 5000;
    const row = { start: 0, words: [16] };
    const big = { start: 0, size: 4, rows: new Array<typeof row>(60_000).fill(row) };
    const small = Array.from({ length: count }, (_, i) => ({ ...big, start: 16 * i, rows: [] }));
    const bytes = encodeSFrame({ version: 3, address: 0, functions: [big, ...small] });
    const view = new DataView(bytes.buffer);
    for (let i = 1; i <= count; i++) view.setUint32(28 + 16 * i + 12, 0, true);
    expect(exercise(bytes, 0)).toBe(false);
    // At the second function, where the rows are more than the header has, not after the last one.
    const error = { kind: 'count-mismatch', counted: 120_000, func: 1 };
    expect(decodeSFrame(bytes, 0)).toMatchObject({ ok: false, error });
  });
});
