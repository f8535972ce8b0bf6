/**
 * Which functions the stubs of a procedure linkage table stand for. Shared libraries and executables
 * call `abort` through one of them; without its name such a call would seem to return. ELF for the Arm
 * 64-bit Architecture, "Procedure Linkage Table".
 */
import { BTI_C } from '../aarch64/encodings.js';
import type { Address } from '../base/address.js';
import { R_AARCH64_JUMP_SLOT, SHT_RELA } from '../elf/format.js';
import type { ElfImage } from '../elf/image.js';
import { RelocationEntries } from '../elf/relocation-entries.js';
import { SymbolEntries } from '../elf/symbol-entries.js';

/** For each PLT stub, by its address, the name of the function that it calls. */
export function readStubs(image: ElfImage): ReadonlyMap<Address, string> {
  const stubs = new Map<Address, string>();
  const names = slotNames(image);
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

/** For each word that the dynamic linker fills in, by its address, the name of the symbol. */
function slotNames({ sections }: ElfImage): ReadonlyMap<Address, string> {
  const names = new Map<Address, string>();
  for (const section of sections) {
    if (section.type !== SHT_RELA) continue;
    const relocations = new RelocationEntries(section);
    const symbols = SymbolEntries.ofSection(sections, section.link);
    for (let i = 0; i < relocations.count; i++) {
      if (relocations.type(i) !== R_AARCH64_JUMP_SLOT) continue;
      const symbol = relocations.symbol(i);
      const name = symbol < symbols.count ? symbols.name(symbol) : undefined;
      if (name !== undefined && name !== '') names.set(relocations.address(i), name);
    }
  }
  return names;
}
