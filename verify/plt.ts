/**
 * Which functions the stubs of a procedure linkage table and the entries of a global offset table stand
 * for. Shared libraries and executables call `abort` through one of them; without its name such a call
 * would seem to return. ELF for the Arm 64-bit Architecture, "Procedure Linkage Table".
 */
import { BTI_C } from '../aarch64/encodings.js';
import type { Address } from '../base/address.js';
import { R_AARCH64_GLOB_DAT, R_AARCH64_JUMP_SLOT, SHT_RELA } from '../elf/format.js';
import type { ElfImage } from '../elf/image.js';
import { RelocationEntries } from '../elf/relocation-entries.js';
import { SymbolEntries } from '../elf/symbol-entries.js';

/** Made-up addresses of imported symbols, where no memory is mapped: the first, and bytes for each. */
const IMPORTS: Address = 0x7d00_0000_0000;
const IMPORT_SIZE = 16;

/** For each PLT stub, by its address, the name of the function that it calls. */
export function readStubs(image: ElfImage): ReadonlyMap<Address, string> {
  const stubs = new Map<Address, string>();
  const names = slotNames(image, R_AARCH64_JUMP_SLOT);
  const plt = image.section('.plt');
  if (names.size === 0 || plt === undefined) return stubs;
  const view = new DataView(plt.data.buffer, plt.data.byteOffset, plt.data.byteLength);
  // ADRP x16, page of the slot; LDR x17, [x16, #offset]. With branch protection BTI c comes first.
  for (let at = 0; at + 8 <= view.byteLength; at += 4) {
    const adrp = view.getUint32(at, true);
    const ldr = view.getUint32(at + 4, true);
    if ((adrp & 0x9f00001f) >>> 0 !== 0x90000010) continue;
    if ((ldr & 0xffc003ff) >>> 0 !== 0xf9400211) continue;
    const pc = plt.address + at;
    const pages = ((adrp << 8) >> 13) * 4 + ((adrp >>> 29) & 3);
    const slot = (Math.floor(pc / 4096) + pages) * 4096 + ((ldr >>> 10) & 0xfff) * 8;
    const name = names.get(slot);
    if (name === undefined) continue;
    const isPad = at >= 4 && view.getUint32(at - 4, true) === BTI_C;
    stubs.set(isPad ? pc - 4 : pc, name);
  }
  return stubs;
}

/**
 * Give each symbol of the global offset table a made-up address, and write it there.
 * @param at loaded bytes at an address, which are written to; undefined where nothing is loaded
 * @returns the names of the symbols, by the made-up addresses
 */
export function fillOffsetTable(
  image: ElfImage,
  at: (address: Address, length: number) => Uint8Array | undefined,
): ReadonlyMap<Address, string> {
  const imports = new Map<Address, string>();
  for (const [slot, name] of slotNames(image, R_AARCH64_GLOB_DAT)) {
    const word = at(slot, 8);
    if (word === undefined) continue;
    const place = IMPORTS + IMPORT_SIZE * imports.size;
    new DataView(word.buffer, word.byteOffset, 8).setBigUint64(0, BigInt(place), true);
    imports.set(place, name);
  }
  return imports;
}

/** For each word that the dynamic linker fills in, by its address, the name of the symbol. */
function slotNames({ sections }: ElfImage, type: number): ReadonlyMap<Address, string> {
  const names = new Map<Address, string>();
  for (const section of sections) {
    if (section.type !== SHT_RELA) continue;
    const relocations = new RelocationEntries(section);
    const symbols = SymbolEntries.ofSection(sections, section.link);
    for (let i = 0; i < relocations.count; i++) {
      if (relocations.type(i) !== type) continue;
      const symbol = relocations.symbol(i);
      const name = symbol < symbols.count ? symbols.name(symbol) : undefined;
      if (name !== undefined && name !== '') names.set(relocations.address(i), name);
    }
  }
  return names;
}
