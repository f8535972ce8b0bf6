import { expect, it } from 'vitest';
import { Disassembler } from '../../aarch64/disassembler.js';
import { decodeLoadStore, LoadStore, Writeback } from '../../aarch64/load-store.js';
import { must } from '../cpu-fixture.js';
import { EXHAUSTIVE } from '../exhaustive.js';
import { newSeed, randomIntegers } from '../random.js';

/** Random words that are decoded. */
const WORDS = EXHAUSTIVE ? 30_000 : 12_000;

/** The fields as an assembler's operands show them. */
interface Operands {
  readonly base: number;
  readonly index: number;
  readonly offset: number;
  readonly writeback: number;
  /** Transfer registers and status in the order they are written; those of SIMD count as -1. */
  readonly registers: readonly number[];
}

const REGISTER = /\b([xw](\d+|zr)|sp)\b/g;
const ADDRESS =
  /\[(\w+)(?:, ([xw](?:\d+|zr)))?(?:, #(-?\w+))?[^\]]*\](!?)(?:, (x\d+)|, #(-?\w+))?$/;

function registerNumber(name: string | undefined): number {
  if (name === undefined) return -1;
  return name === 'sp' || name.endsWith('zr') ? 31 : Number(name.slice(1));
}

/** A signed integer; capstone prints some negative ones as 64 bits without a sign. */
function integer(text = '0'): number {
  if (text.startsWith('-')) return -Number(text.slice(1));
  return Number(BigInt.asIntN(64, BigInt(text)));
}

/** What a line of disassembly says; undefined for a literal. */
function operandsOf(text: string): Operands | undefined {
  const match = ADDRESS.exec(text);
  if (match === null) return undefined;
  const [, base, index, offset, pre, postIndex, postOffset] = match;
  const post = postIndex !== undefined || postOffset !== undefined;
  const before = text.slice(text.indexOf(' '), match.index);
  return {
    base: registerNumber(base),
    index: registerNumber(index ?? postIndex),
    offset: integer(offset ?? postOffset),
    writeback: pre === '!' ? Writeback.PRE : post ? Writeback.POST : Writeback.NONE,
    registers: [...before.matchAll(REGISTER)].map(([name]) => registerNumber(name)),
  };
}

/** The registers that the fields name, in an assembler's order for that mnemonic. */
function registersOf(mnemonic: string, word: number, fields: LoadStore): number[] {
  const { rt, rt2, status, general, hint } = fields;
  // The register with the tag is no transfer of data.
  if (/^(stz?2?g|stz?gm)$/.test(mnemonic)) return [word & 31];
  if (hint) return status < 0 ? [] : [status];
  if (!general) return [];
  if (mnemonic.startsWith('casp')) return [status, rt2, rt, rt + 1];
  if (/^(ldadd|ldclr|ldeor|ldset|ld[su]m|swp)/.test(mnemonic)) return [(word >>> 16) & 31, rt];
  // An alias of the one before, with XZR for the result.
  if (/^(stadd|stclr|steor|stset|st[su]m)/.test(mnemonic)) return [(word >>> 16) & 31];
  return [status, rt, rt2].filter((register) => register >= 0);
}

/**
 * Known to the disassembler, and to nothing here: memory copies, 64-byte stores and loads, pairs of
 * FEAT_LSE128 and FEAT_LRCPC3, and what FEAT_THE and FEAT_GCS store.
 */
const UNKNOWN = /^(cpy|set[gpme]|st64b|ld64b|ldclrp|ldsetp|swpp|ldiapp|stilp|rcwcas|gcsstt?r)/;

/** How mnemonics begin of which some must have been seen. */
const SEEN = [
  ...['ldr', 'str', 'ldur', 'ldtr', 'ldrsb', 'prfm', 'prfum', 'ldp', 'stnp', 'ldpsw', 'ldxp'],
  ...['stxr', 'cas', 'casp', 'ldadd', 'ldumax', 'swp', 'ldapr', 'stlur', 'ldapur'],
  ...['ldraa', 'ldrab', 'stg', 'stz2g', 'ldg', 'ld1', 'ld3', 'st4'],
];

/** A word of the loads and stores; half of them where encodings are sparse. */
function randomWord(random: (below: number) => number): number {
  const word = ((random(0x10000) * 0x10000 + random(0x10000)) & ~0x0a000000) | 0x08000000;
  switch (random(8)) {
    case 0:
      // Atomics and LDAPR.
      return ((word & ~0x07000c00) | 0x30200000 | (random(2) * 0x1fc000)) >>> 0;
    case 1:
      // Exclusives and CAS with no second register.
      return ((word & ~0x37000000) | 0x00007c00) >>> 0;
    case 2:
      // LDAPUR, STLUR and, of the largest size, tags.
      return ((word & ~0x27000000) | 0x11000000 | (random(2) * 0xc0000000)) >>> 0;
    case 3:
      // A single general register without a scaled offset.
      return ((word & ~0x05000000) | 0x30000000) >>> 0;
    default:
      return word >>> 0;
  }
}

it('the fields of a load or store are those that a disassembler prints', async () => {
  const seed = newSeed();
  const random = randomIntegers(seed);
  const disassembler = must(await Disassembler.create());
  const fields = new LoadStore();
  const mnemonics = new Set<string>();
  let checked = 0;
  for (let i = 0; i < WORDS; i++) {
    const word = randomWord(random);
    const bytes = new Uint8Array(new Uint32Array([word]).buffer);
    const { mnemonic, text, target } = disassembler.disassemble(bytes, 0);
    const known = decodeLoadStore(word, fields);
    const what = `${word.toString(16)} ${text} (KUNWIND_SEED=${seed})`;
    if (UNKNOWN.test(mnemonic)) expect(known, what).toBe(false);
    // The disassembler also leaves out what is allocated and CONSTRAINED UNPREDICTABLE.
    if (mnemonic === '.inst' || UNKNOWN.test(mnemonic)) continue;
    expect(known, what).toBe(true);
    checked++;
    mnemonics.add(mnemonic);
    const operands = operandsOf(text);
    if (operands === undefined) {
      expect([fields.base, fields.offset], what).toEqual([-1, target]);
      continue;
    }
    const { base, index, offset, writeback } = fields;
    const registers = registersOf(mnemonic, word, fields);
    expect({ base, index, offset, writeback, registers }, what).toEqual(operands);
  }
  expect(checked).toBeGreaterThan(WORDS / 6);
  const isSeen = (start: string): boolean => [...mnemonics].some((seen) => seen.startsWith(start));
  expect(SEEN.filter((start) => !isSeen(start))).toEqual([]);
});
