/** Counts direct calls: BL and B (Arm ARM C6.2.26, C6.2.35). */

import { R_AARCH64_CALL26, R_AARCH64_JUMP26, SHT_RELA } from '../elf/format.js';
import type { ElfFile } from '../elf/file.js';
import type { ElfSection } from '../elf/sections.js';
import { StaticRelocations } from '../elf/static-relocations.js';

/**
 * How many direct branches go to each address in `wanted`. A B counts as much as a BL: at the start of
 * a function it is a tail call or a loop, and either way the code is used.
 */
export function callCounts(
  elf: ElfFile,
  sections: readonly ElfSection[],
  wanted: ReadonlySet<number>,
): Map<number, number> {
  const counts = new Map<number, number>();
  const add = (target: number): void => {
    if (wanted.has(target)) counts.set(target, (counts.get(target) ?? 0) + 1);
  };
  for (const { address, data } of sections) {
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    for (let at = 0; at + 4 <= data.length; at += 4) {
      const word = view.getUint32(at, true);
      if ((word & 0x7c00_0000) !== 0x1400_0000) continue;
      // In an object, a branch before its relocation goes to itself.
      const distance = (word << 6) >> 4;
      if (distance !== 0) add(address + at + distance);
    }
  }
  if (elf.type !== 'rel') return counts;
  const indices = new Set(sections.map(({ index }) => index));
  for (const relocations of elf.sections) {
    if (relocations.type !== SHT_RELA || !indices.has(relocations.info)) continue;
    for (const one of new StaticRelocations(elf.path, elf.sections, relocations).read()) {
      if (!one.ok) break;
      const { type, value, defined } = one.value;
      const isBranch = type === R_AARCH64_CALL26 || type === R_AARCH64_JUMP26;
      if (isBranch && defined) add(Number(BigInt.asIntN(64, value)));
    }
  }
  return counts;
}
