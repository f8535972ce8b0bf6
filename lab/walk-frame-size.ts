/**
 * Where a walk function's own frame record is. sframe-v5 takes `__builtin_frame_address(0)` for the SP
 * it starts from, so what that walk finds depends on how the compiler laid out the function's frame.
 */
import { immediate12, isSetFp, isSubSp, pairOffset } from '../aarch64/encodings.js';
import type { Machine } from '../kernel-model/machine.js';

/** What the 7.3-rc7 builds of shared/kernels have; for a kernel that has no such function. */
const USUAL_FRAME_SIZE = 0x60;
/** Instructions in which x29 has been set. */
const PROLOGUE = 24;

/** Bytes from SP at the function's entry down to the record that x29 points at in its body. */
export function walkFrameSize({ kernel, memory }: Machine, name: string): number {
  const fn = kernel.symbol(name);
  if (fn === undefined) return USUAL_FRAME_SIZE;
  let below = 0;
  for (let at = fn; at < fn + 4 * PROLOGUE; at += 4) {
    const word = (memory.readWord(at) ?? 0) >>> 0;
    // STP Xt1, Xt2, [SP, #imm]! (Arm ARM C6.2.390).
    if ((word & 0xffc003e0) >>> 0 === 0xa98003e0) below -= pairOffset(word);
    else if (isSubSp(word)) below += immediate12(word);
    else if (isSetFp(word)) return below - immediate12(word);
  }
  return USUAL_FRAME_SIZE;
}
