/**
 * The kernel's bug table: which `brk #0x800` is a WARN and which is a BUG, and where each is in the
 * source (struct bug_entry, include/asm-generic/bug.h, v7.3-rc7; arch/arm64/include/asm/asm-bug.h).
 */
import { brkWord } from '../../aarch64/encodings.js';
import type { Address } from '../../base/address.js';
import type { ElfImage } from '../../elf/image.js';

/** The immediate of the `brk` that WARN and BUG compile to (arch/arm64/include/asm/brk-imm.h). */
const BUG_BRK_IMM = 0x800;

/** One WARN or BUG site. */
export interface BugSite {
  /** BUGFLAG_WARNING: the kernel continues after the breakpoint. */
  readonly warning: boolean;
  /** `kernel/kprobes.c:123`; absent without CONFIG_DEBUG_BUGVERBOSE. */
  readonly place: string | undefined;
}

const BUGFLAG_WARNING = 1;
/** Longest file name read from the image. */
const MAX_PLACE = 256;

/** Sites by the address of their breakpoint. */
export class BugTable {
  private constructor(private readonly sites: ReadonlyMap<Address, BugSite>) {}

  /** Number of sites. */
  get size(): number {
    return this.sites.size;
  }

  /** The site of a breakpoint; undefined when the table does not have it. */
  at(address: Address): BugSite | undefined {
    return this.sites.get(address);
  }

  /**
   * Read the table between `__start___bug_table` and `__stop___bug_table`. Entries hold pointers
   * relative to themselves. With CONFIG_DEBUG_BUGVERBOSE an entry is {breakpoint, file, u16 line,
   * u16 flags}, with CONFIG_DEBUG_BUGVERBOSE_DETAILED it has a format string after the breakpoint,
   * and without either it is {breakpoint, u16 flags}. The entry size tells them apart.
   */
  static read(elf: ElfImage, start: Address | undefined, end: Address | undefined): BugTable {
    const bytes = new ImageBytes(elf);
    const sites = new Map<Address, BugSite>();
    if (start === undefined || end === undefined) return new BugTable(sites);
    const size = entrySize(bytes, start, end);
    for (let at = start; size > 0 && at + size <= end; at += size) {
      const breakpoint = at + (bytes.word(at) ?? 0);
      const last = bytes.word(at + size - 4) ?? 0;
      if (size === ENTRY_SIZES.bare) {
        sites.set(breakpoint, { warning: (last & BUGFLAG_WARNING) !== 0, place: undefined });
        continue;
      }
      const fileAt = at + size - 8;
      const file = bytes.text(fileAt + (bytes.word(fileAt) ?? 0), MAX_PLACE);
      sites.set(breakpoint, {
        warning: ((last >>> 16) & BUGFLAG_WARNING) !== 0,
        place: file === '' ? undefined : `${file}:${last & 0xffff}`,
      });
    }
    return new BugTable(sites);
  }
}

const ENTRY_SIZES = { bare: 8, verbose: 12, detailed: 16 } as const;

/**
 * The entry size for which all of the first entries point at a `brk #0x800`; 0 when there is none.
 */
function entrySize(bytes: ImageBytes, start: Address, end: Address): number {
  const brk = brkWord(BUG_BRK_IMM);
  for (const size of Object.values(ENTRY_SIZES)) {
    let fits = (end - start) % size === 0 && end > start;
    for (let at = start; fits && at < end && at < start + 32 * size; at += size) {
      const word = bytes.word(at + (bytes.word(at) ?? 0));
      fits = word !== undefined && word >>> 0 === brk;
    }
    if (fits) return size;
  }
  return 0;
}

/** An image's bytes by address, as linked. */
class ImageBytes {
  constructor(private readonly elf: ElfImage) {}

  /** The signed 32-bit word at an address, or undefined where the file has none. */
  word(address: Address): number | undefined {
    for (const { address: low, data } of this.elf.segments) {
      const offset = address - low;
      if (offset < 0 || offset + 4 > data.length) continue;
      return new DataView(data.buffer, data.byteOffset + offset, 4).getInt32(0, true);
    }
    return undefined;
  }

  /** The text at an address, up to its NUL; empty where the file has none. */
  text(address: Address, limit: number): string {
    for (const { address: low, data } of this.elf.segments) {
      const offset = address - low;
      if (offset < 0 || offset >= data.length) continue;
      const bytes = data.subarray(offset, offset + limit);
      const length = bytes.indexOf(0);
      return length < 0 ? '' : Buffer.from(bytes.subarray(0, length)).toString('utf8');
    }
    return '';
  }
}
