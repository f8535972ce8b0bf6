/**
 * Access sizes of the Advanced SIMD structure loads and stores: LD1..LD4 and ST1..ST4, for multiple
 * structures or a single one. Arm ARM (DDI 0487) C4.1.94 "Loads and Stores".
 */
import { bit } from './instruction.js';

/** Bytes that a structure load or store accesses, 1 to 64; 0 for an unallocated encoding. */
export function structureBytes(word: number): number {
  return bit(word, 24) ? elementBytes(word) : wholeBytes(word);
}

/**
 * Registers of LD1..LD4 and ST1..ST4 (multiple structures) by opcode, bits 15:12; 0: unallocated.
 */
const STRUCTURE_REGISTERS = [4, 0, 4, 0, 3, 0, 3, 1, 2, 0, 2, 0, 0, 0, 0, 0];

function wholeBytes(word: number): number {
  if (bit(word, 21)) return 0;
  const opcode = (word >>> 12) & 15;
  const vector = bit(word, 30) ? 16 : 8;
  // Doubleword elements in 64-bit vectors exist for LD1 and ST1 only: opcodes with bit 1 set.
  if (vector === 8 && ((word >>> 10) & 3) === 3 && (opcode & 2) === 0) return 0;
  return (STRUCTURE_REGISTERS[opcode] as number) * vector;
}

/** One element in each of 1 to 4 registers; opcode in bits 15:13, S in 12, size in 11:10. */
function elementBytes(word: number): number {
  const opcode = (word >>> 13) & 7;
  const count = 1 + (((opcode & 1) << 1) | Number(bit(word, 21)));
  const s = bit(word, 12);
  const size = (word >>> 10) & 3;
  switch (opcode >>> 1) {
    case 0:
      return count;
    case 1:
      return (size & 1) === 0 ? 2 * count : 0;
    case 2:
      if (size === 0) return 4 * count;
      return size === 1 && !s ? 8 * count : 0;
    default:
      // Load and replicate, which has no store.
      return bit(word, 22) && !s ? count << size : 0;
  }
}
