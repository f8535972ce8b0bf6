/**
 * Which instructions open and close the exclusive monitor (Arm ARM B2.12). No engine lets us read
 * or set the monitor, so code that saves a CPU's state has to track whether it is open.
 */

/** What an instruction does to the exclusive monitor. */
export const ExclusiveEffect = { NONE: 0, OPENS: 1, CLOSES: 2 } as const;

const CLREX = 0xd503305f;
const CLREX_MASK = 0xfffff0ff;

/**
 * The {@link ExclusiveEffect} of an instruction word. In a load/store exclusive (Arm ARM C4.1.94)
 * bits 29:24 are 001000 and bit 23 (o2) is 0; bit 22 (L) makes it a load. With bit 21 set and bit
 * 31 clear it is a CASP, which does not use the monitor.
 */
export function exclusiveEffect(word: number): number {
  if ((word & 0x3f800000) === 0x08000000) {
    if ((word & 0x200000) !== 0 && word >>> 31 === 0) return ExclusiveEffect.NONE;
    return (word & 0x400000) !== 0 ? ExclusiveEffect.OPENS : ExclusiveEffect.CLOSES;
  }
  return (word & CLREX_MASK) >>> 0 === CLREX ? ExclusiveEffect.CLOSES : ExclusiveEffect.NONE;
}
