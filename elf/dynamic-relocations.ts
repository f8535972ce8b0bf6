/**
 * Copies the segments of a linked file into memory and applies its dynamic relocations, as a
 * position-independent kernel does to itself at boot.
 */
import { addressFromWords, type Address } from '../base/address.js';
import { fail, ok, type Result } from '../base/result.js';
import { lastAtOrBelow } from '../base/sorted.js';
import { type ElfError, malformed } from './error.js';
import {
  EHDR_SIZE,
  R_AARCH64_ABS64,
  R_AARCH64_GLOB_DAT,
  R_AARCH64_NONE,
  R_AARCH64_RELATIVE,
  R_AARCH64_WITHDRAWN,
  RELR_SIZE,
  SHT_REL,
  SHT_RELA,
  SHT_RELR,
} from './format.js';
import { RelocationEntries } from './relocation-entries.js';
import type { ElfSection } from './sections.js';
import type { ElfSegment, LoadedSegment } from './segments.js';

/**
 * What to do about a dynamic relocation that is not relative.
 * - `refuse` the file: it cannot run without the relocation.
 * - `keep` the word as linked, for callers that never follow it.
 * - a {@link DynamicLinking} says what to write.
 */
export type OtherRelocations = 'refuse' | 'keep' | DynamicLinking;

/** Finds what symbols stand for: `DynamicLinker` in dynamic-linker.ts. */
export interface DynamicLinking {
  /**
   * For the relocations of one section.
   * @param sections of the whole file, as linked
   * @param link number of the symbol section
   * @param bias how far the file is moved, in bytes
   */
  words(sections: readonly ElfSection[], link: number, bias: number): LinkedWord;
}

/**
 * The word for one relocation, modulo 2^64. `keep`: it stays as linked; `unsupported`: the type is
 * not known; `no-symbol`: its symbol does not exist.
 * @param place address of the word, bias included
 */
export type LinkedWord = (
  type: number,
  symbol: number,
  addend: bigint,
  place: Address,
) => bigint | 'keep' | 'unsupported' | 'no-symbol';

type Problem = ElfError | undefined;

/**
 * Copies the segments to `bias` bytes from where they were linked and applies the dynamic
 * relocations: R_AARCH64_RELATIVE in RELA form, `*r_offset = r_addend + bias` (ELF for the
 * Arm 64-bit Architecture, dynamic relocations), and RELR, `*word += bias` (gABI,
 * SHT_RELR). References to a symbol table that the link discarded stay as linked: {@link isOrphan}.
 * @param bias a whole number of bytes
 * @param others what becomes of the other relocation types
 */
export function relocate(
  path: string,
  segments: readonly ElfSegment[],
  sections: readonly ElfSection[],
  bias: number,
  others: OtherRelocations,
): Result<readonly LoadedSegment[], ElfError> {
  const loaded: LoadedSegment[] = [];
  try {
    for (const segment of segments) loaded.push(load(segment, bias));
  } catch {
    // Only the allocation can throw: sizes are bounded, but the host may be short of memory.
    const size = segments.reduce((sum, { memorySize }) => sum + memorySize, 0);
    const place = { path, field: 'program header table', offset: EHDR_SIZE };
    const [value, limit] = [`${size} bytes of memory`, 'what can be allocated'];
    return fail({ ...place, kind: 'too-large', value, limit });
  }
  const image = new RelocatedImage(path, segments, loaded, bias, others);
  for (const section of sections) {
    if (!section.loaded) continue;
    const problem = image.apply(section, sections);
    if (problem !== undefined) return fail(problem);
  }
  return ok(loaded);
}

function load(segment: ElfSegment, bias: number): LoadedSegment {
  const data = new Uint8Array(segment.memorySize);
  data.set(segment.data);
  const { readable, writable, executable } = segment;
  return { address: segment.address + bias, data, readable, writable, executable };
}

const OUTSIDE = 'the word to relocate lies in no PT_LOAD segment';
const NO_REL = 'SHT_REL relocations are not used on AArch64';

class RelocatedImage {
  private readonly starts: Float64Array;
  private readonly views: readonly DataView[];

  constructor(
    private readonly path: string,
    segments: readonly ElfSegment[],
    loaded: readonly LoadedSegment[],
    private readonly bias: number,
    private readonly others: OtherRelocations,
  ) {
    this.starts = Float64Array.from(segments, ({ address }) => address);
    this.views = loaded.map(({ data }) => new DataView(data.buffer));
  }

  apply(section: ElfSection, sections: readonly ElfSection[]): Problem {
    switch (section.type) {
      case SHT_RELA:
        return this.applyRela(section, this.otherWords(section, sections));
      case SHT_RELR:
        return this.applyRelr(section);
      case SHT_REL:
        return malformed(this.path, `${section.name}[0]`, section.offset, NO_REL);
      default:
        return undefined;
    }
  }

  /** What becomes of the relocations of a section that are not relative. */
  private otherWords(section: ElfSection, sections: readonly ElfSection[]): LinkedWord {
    const { others } = this;
    if (others === 'keep') return () => 'keep';
    if (others === 'refuse') return () => 'unsupported';
    return others.words(sections, section.link, this.bias);
  }

  private applyRela(section: ElfSection, otherWord: LinkedWord): Problem {
    const { path } = this;
    const bias = BigInt(this.bias);
    const rela = new RelocationEntries(section);
    for (let i = 0; i < rela.count; i++) {
      const type = rela.type(i);
      if (type === R_AARCH64_NONE || type === R_AARCH64_WITHDRAWN) continue;
      if (isOrphan(section, type, rela.symbol(i))) continue;
      const value =
        type === R_AARCH64_RELATIVE
          ? rela.addend(i) + bias
          : otherWord(type, rela.symbol(i), rela.addend(i), rela.address(i) + this.bias);
      if (value === 'keep') continue;
      if (typeof value === 'string') {
        const [field, offset] = rela.place(i);
        if (value === 'no-symbol') {
          return malformed(path, field, offset, `symbol ${rela.symbol(i)} does not exist`);
        }
        return { path, field, offset, kind: 'unsupported-relocation', type };
      }
      if (!this.write(rela.address(i), () => value))
        return malformed(path, ...rela.place(i), OUTSIDE);
    }
    return rela.checkEnd(path);
  }

  /**
   * An even entry is an address to relocate; an odd one is a bitmap of the 63 words that follow.
   */
  private applyRelr(section: ElfSection): Problem {
    const { data, name, offset } = section;
    const relr = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const wrong = (at: number, reason: string): ElfError =>
      malformed(this.path, `${name}[${Math.floor(at / RELR_SIZE)}]`, offset + at, reason);
    const bias = BigInt(this.bias);
    const move = (word: bigint): bigint => word + bias;
    let next: Address | undefined;
    for (let at = 0; at < relr.byteLength; at += RELR_SIZE) {
      if (at + RELR_SIZE > relr.byteLength) return wrong(at, 'incomplete entry');
      const low = relr.getUint32(at, true);
      const high = relr.getUint32(at + 4, true);
      if ((low & 1) === 0) {
        next = addressFromWords(low, high);
        if (!this.write(next, move)) return wrong(at, OUTSIDE);
        next += 8;
        continue;
      }
      if (next === undefined) return wrong(at, 'a bitmap before any address');
      for (let bit = 1; bit < 64; bit++) {
        const set = bit < 32 ? (low >>> bit) & 1 : (high >>> (bit - 32)) & 1;
        const word = next + (bit - 1) * 8;
        if (set === 1 && !this.write(word, move)) return wrong(at, OUTSIDE);
      }
      next += 63 * 8;
    }
    return undefined;
  }

  /**
   * Replaces the 64-bit word at a linked address.
   * @returns false when no segment holds all of it
   */
  private write(address: Address, change: (old: bigint) => bigint): boolean {
    const index = lastAtOrBelow(this.starts, address);
    const view = this.views[index];
    if (view === undefined) return false;
    const offset = address - (this.starts[index] as number);
    if (offset + 8 > view.byteLength) return false;
    view.setBigInt64(offset, change(view.getBigInt64(offset, true)), true);
    return true;
  }
}

/**
 * Whether a relocation names a symbol in a table that the file does not have. A kernel's linker
 * script discards `.dynsym`, so its undefined weak references end up like this. The kernel applies
 * only relative relocations to itself (arch/arm64/kernel/pi/relocate.c, v7.2), so the word stays
 * zero.
 */
function isOrphan({ link }: ElfSection, type: number, symbol: number): boolean {
  const refers = type === R_AARCH64_ABS64 || type === R_AARCH64_GLOB_DAT;
  return refers && link === 0 && symbol !== 0;
}
