/** Moves an image away from where it was linked. */
import type { Address } from '../base/address.js';
import type { ElfImage } from './image.js';
import { type ElfSection, sectionNamed } from './sections.js';

/**
 * The image as if it had been linked `bias` bytes higher: segments, loaded sections, unwind tables,
 * symbols, the entry point and relocations move together. Only for images of type `dyn`: an `exec`
 * image fails when its relocations are applied.
 * @param bias whole bytes; use a multiple of the largest segment alignment to keep alignments
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
