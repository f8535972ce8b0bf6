/** Loads an ELF under test, at an address where a machine can have it. */
import { ok, type Result } from '../base/result.js';
import type { ElfError } from '../elf/error.js';
import { loadElf, type ElfImage } from '../elf/image.js';
import { rebaseElf } from '../elf/rebase.js';

/** Images linked below this address (position-independent executables) are moved. */
const MIN_ADDRESS = 65536;
/** The distance: to 0xffffa00090000000, 256 MiB above the built-in guest kernel. */
const IMAGE_BIAS = -0x5fff70000000;

/**
 * Loads an ELF to be swept. A position-independent one that is linked at 0 is moved into the kernel's
 * half of the address space. Any other stays where it was linked.
 */
export function loadImage(path: string): Result<ElfImage, ElfError> {
  const image = loadElf(path);
  if (!image.ok || image.value.type !== 'dyn') return image;
  const lowest = image.value.segments[0]?.address ?? 0;
  if (lowest < 0 || lowest >= MIN_ADDRESS) return image;
  return ok(rebaseElf(image.value, IMAGE_BIAS));
}
