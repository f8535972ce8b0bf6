/** An image somewhere else than where it was linked. */
import type { Address } from '../base/address.js';
import type { ElfImage } from './image.js';
import { type ElfSection, sectionNamed } from './sections.js';

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
  const rebased = (section: ElfSection): ElfSection => (section.loaded ? moved(section) : section);
  const sections = image.sections.map(rebased);
  return {
    ...image,
    entry: image.entry + bias,
    segments: image.segments.map(moved),
    sections,
    symbols: image.symbols.map((symbol) => (symbol.absolute ? symbol : moved(symbol))),
    sframe: image.sframe.map(rebased),
    dwarfFrames: image.dwarfFrames.map(rebased),
    section: sectionNamed(sections),
    applyRelocations: (more = 0, others) => image.applyRelocations(bias + more, others),
  };
}
