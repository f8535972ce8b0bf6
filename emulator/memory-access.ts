/**
 * Which memory an instruction is about to access, from its word and the registers before it.
 * Watchpoints need this because a read leaves no trace in memory.
 */
import { type Address, addressFromWords } from '../base/address.js';
import { decodeLoadStore, isLoadStore, LoadStore, Writeback } from '../aarch64/load-store.js';
import { Reg, type RegisterFile } from './registers.js';

/** The bytes `[address, address + size)` that one instruction accesses. */
export class MemoryAccess {
  address: Address = 0;
  /** In bytes, 1 to 64. */
  size = 0;
  reads = false;
  /** Also true for a conditional store (STXR, CAS), which may not take place. */
  writes = false;
}

/** DC ZVA, Xt (Arm ARM C5.3.15): zeroes a block. */
const DC_ZVA = 0xd50b7420;
/** Bytes in that block: 4 << DCZID_EL0.BS, 64 on every Cortex-A and on the emulated CPU. */
const ZVA_BLOCK = 64;

const fields = new LoadStore();

/**
 * Find what `word`, at the PC of `registers`, accesses. Prefetches, cache maintenance and memory
 * tags do not count, nor does LDRAA, which the emulated CPU lacks.
 * @returns false when it accesses no memory: `into` is then unchanged
 */
export function memoryAccess(word: number, registers: RegisterFile, into: MemoryAccess): boolean {
  if ((word & 0xffffffe0) >>> 0 === DC_ZVA) return zeroBlock(word, registers, into);
  if (!isLoadStore(word) || !decodeLoadStore(word, fields)) return false;
  if (fields.hint || fields.authenticated) return false;
  into.address = effectiveAddress(fields, registers, registers.get(Reg.PC));
  into.size = fields.size;
  into.reads = fields.load;
  into.writes = fields.store;
  return true;
}

function zeroBlock(word: number, { words }: RegisterFile, into: MemoryAccess): boolean {
  const index = word & 31;
  const low = index === 31 ? 0 : (words[2 * index] as number);
  const high = index === 31 ? 0 : (words[2 * index + 1] as number);
  into.address = addressFromWords(low & -ZVA_BLOCK, high);
  into.size = ZVA_BLOCK;
  into.reads = false;
  into.writes = true;
  return true;
}

/**
 * The address that a load or store at `pc` accesses first. The base of an authenticated load is
 * used as it is.
 */
export function effectiveAddress(access: LoadStore, registers: RegisterFile, pc: Address): Address {
  if (access.base < 0) return pc + access.offset;
  if (access.writeback === Writeback.POST) return registers.get(access.base);
  return indexedAddress(access, registers);
}

/**
 * Base plus offset plus index, modulo 2^64: what an access with {@link Writeback} leaves in its
 * base. The base must be a register; for number 31, a {@link RegisterFile} holds SP.
 */
export function indexedAddress(access: LoadStore, { words }: RegisterFile): Address {
  const { base, offset, index, extend, shift } = access;
  let low = (words[2 * base] as number) + (offset >>> 0);
  let high = (words[2 * base + 1] as number) + (offset < 0 ? -1 : 0);
  if (index >= 0 && index !== 31) {
    const indexLow = words[2 * index] as number;
    let indexHigh = words[2 * index + 1] as number;
    // UXTW, SXTW; LSL and SXTX take the register as it is.
    if (extend === 2) indexHigh = 0;
    if (extend === 6) indexHigh = indexLow >> 31;
    low += (indexLow << shift) >>> 0;
    high += shift === 0 ? indexHigh : (indexHigh << shift) | (indexLow >>> (32 - shift));
  }
  return addressFromWords(low, high + Math.floor(low / 2 ** 32));
}
