/** Names for the functions of a table. */

import { mappingOf, nameBefore } from '../elf/symbol-names.js';
import { formatAddress } from '../base/address.js';
import type { ElfFile } from '../elf/file.js';
import type { ElfSection } from '../elf/sections.js';
import type { ElfSymbol } from '../elf/symbols.js';
import { firstBetween, lastWithAtMost } from '../base/sorted.js';

/** The name of a function. */
export interface FunctionName {
  readonly name: string;
  /** The STT_FILE before a local symbol; else ''. */
  readonly file: string;
}

/** Whether a symbol is a mapping symbol or assembler label (ELF for the Arm 64-bit Architecture). */
export function isMapping({ name, kind }: ElfSymbol): boolean {
  return (
    name === '' || name.startsWith('.L') || (kind === 'other' && mappingOf(name) !== undefined)
  );
}

/** The names of a file's functions, and of places where no function starts. */
export class FunctionNames {
  private readonly names = new Map<number, FunctionName>();
  private readonly starts: Float64Array;
  private readonly sections: readonly ElfSection[];

  /** If an address has several symbols, sized ones come first, then functions, then global ones. */
  constructor(private readonly elf: ElfFile) {
    const best = new Map<number, ElfSymbol>();
    for (const symbol of elf.symbols) {
      if (isMapping(symbol) || symbol.kind === 'object') continue;
      if (elf.sections[symbol.section]?.executable !== true) continue;
      const known = best.get(symbol.address);
      if (known === undefined || rank(symbol, known) < 0) best.set(symbol.address, symbol);
    }
    for (const [address, { name, file }] of best) this.names.set(address, { name, file });
    this.starts = Float64Array.from(this.names.keys()).sort();
    this.sections = elf.sections
      .filter(({ loaded, size }) => loaded && size > 0)
      .sort((a, b) => a.address - b.address);
  }

  /**
   * The name of the function of `size` bytes at `start`. It is `symbol-0x4` where CFI begins in the
   * padding before the symbol. Without a symbol it is the address, or in an object section and offset.
   */
  nameOf(start: number, size: number): FunctionName {
    const known = this.names.get(start);
    if (known !== undefined) return known;
    const next = this.starts[firstBetween(this.starts, start, start + size)] ?? NaN;
    const inside = this.names.get(next);
    if (inside !== undefined) return { ...inside, name: nameBefore(inside.name, next - start) };
    if (this.elf.type !== 'rel') return { name: formatAddress(start), file: '' };
    const { sections } = this;
    const home = sections[lastWithAtMost(sections, start, ({ address }) => address)];
    const offset = (start - (home?.address ?? 0)).toString(16);
    return { name: `${home?.name ?? ''}+0x${offset}`, file: '' };
  }
}

function rank(a: ElfSymbol, b: ElfSymbol): number {
  return (
    Number(b.size > 0) - Number(a.size > 0) ||
    Number(b.kind === 'function') - Number(a.kind === 'function') ||
    Number(b.global) - Number(a.global) ||
    (a.name < b.name ? -1 : 1)
  );
}
