import type { Address } from '../base/address.js';
import { SHF_ALLOC } from './format.js';
import type { ElfImage, ElfSection } from './types.js';

/**
 * The image as if it had been linked `bias` bytes higher: segments, loaded sections, `.sframe`,
 * symbols and the entry point move together, and relocations follow. For images of type `dyn`:
 * an `exec` image refuses the move when its relocations are applied.
 * @param bias whole bytes; a multiple of the largest segment alignment keeps alignments
 */
export function rebaseElf(image: ElfImage, bias: number): ElfImage {
  if (bias === 0) return image;
  const moved = <T extends { readonly address: Address }>(item: T): T => {
    return { ...item, address: item.address + bias };
  };
  const sections = image.sections.map((section) =>
    (section.flags & SHF_ALLOC) === 0 ? section : moved(section),
  );
  // PT_GNU_SFRAME stands in for a section without being one of them, or having flags.
  const sframe = image.sframe.map((section): ElfSection => {
    return sections[image.sections.indexOf(section)] ?? moved(section);
  });
  return {
    ...image,
    entry: image.entry + bias,
    segments: image.segments.map(moved),
    sections,
    symbols: image.symbols.map((symbol) => (symbol.absolute ? symbol : moved(symbol))),
    sframe,
    section: (name) => sections.find((section) => section.name === name),
    applyRelocations: (more = 0, others) => image.applyRelocations(bias + more, others),
  };
}
