/** The replacement code of the kernel's alternatives, which is copied at boot and never runs in place. */

import type { ElfFile } from '../elf/file.js';
import { mergeRanges, type Range } from './text-map.js';

/** struct alt_instr (arch/arm64/include/asm/alternative.h, v7.3-rc7): 12 bytes. */
const ENTRY_SIZE = 12;
const REPLACEMENT_OFFSET = 4;
const REPLACEMENT_LENGTH = 11;

/** Where the replacements of `.altinstructions` lie. Empty without that section, and for objects. */
export function alternativeRanges(elf: ElfFile): Range[] {
  const section = elf.sections.find(({ name }) => name === '.altinstructions');
  if (section === undefined || elf.type === 'rel') return [];
  const { address, data } = section;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const ranges: Range[] = [];
  for (let at = 0; at + ENTRY_SIZE <= data.length; at += ENTRY_SIZE) {
    const field = at + REPLACEMENT_OFFSET;
    const from = address + field + view.getInt32(field, true);
    ranges.push({ from, to: from + view.getUint8(at + REPLACEMENT_LENGTH) });
  }
  return mergeRanges(ranges);
}
