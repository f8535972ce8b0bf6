/**
 * Finds a walk function's own frame record. sframe-v5 starts with `__builtin_frame_address(0)` as its SP,
 * so its walks depend on how the compiler laid out the frame of that function.
 */
import { immediate12, isSetFp, isSubSp, pairOffset } from '../aarch64/encodings.js';
import type { Machine } from '../kernel-model/machine.js';

/** Used for a kernel without the function. It is what builds of v7.3-rc7 have. */
const USUAL_FRAME_SIZE = 0x60;
/** Instructions of the function that are searched. */
const PROLOGUE = 24;

/** Bytes from SP at a function's entry down to its frame record, which x29 points to in its body. */
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
