/**
 * Poison for memory that an exception is about to be handled in. What entry code should store and does
 * not would otherwise be right by accident: zero on a fresh stack, or what the last exception left.
 */
import { GENERAL_REGISTERS, type RegisterFile } from '../emulator/registers.js';

/**
 * The high half of a poisoned 64-bit word, but for its last byte. Bits 63 to 56 are those of no pointer,
 * and bit 55 is set: stripped of a pointer authentication code it is 0xffffa5..., where nothing is ever
 * mapped. So it is no address of code, and no frame pointer.
 */
const HIGH = 0x5ae5a500;
/** FNV-1a's prime, and the golden ratio: they only have to spread. */
const PRIME = 0x01000193;
const SPREAD = 0x9e3779b9;

/**
 * A number that stands for a state of the CPU, so that the poison of a point is the same in a sweep and
 * when the point is replayed. @param seed changes all of them
 */
export function poisonKey({ words }: RegisterFile, seed: number): number {
  let key = seed;
  for (let i = 0; i < 2 * GENERAL_REGISTERS; i++) {
    key = Math.imul(key ^ (words[i] as number), PRIME);
    key ^= key >>> 15;
  }
  return key;
}

/**
 * Fill 32-bit words with poison.
 * @param from index of the first one: the low half of a 64-bit word
 * @param to index past the last one
 * @param key of {@link poisonKey}; where only the kind of exception differs, with that mixed in
 */
export function fillWithPoison(words: Uint32Array, from: number, to: number, key: number): void {
  let value = key;
  for (let i = from; i < to; i += 2) {
    value = (value + SPREAD) | 0;
    // Odd: a record is 8-byte aligned, and the type of a metadata record is 1 or 2.
    words[i] = value | 1;
    words[i + 1] = HIGH | (value >>> 24);
  }
}
