/**
 * Which memory an instruction is about to access: A64 loads and stores, decoded from the word and the
 * registers before it. Arm ARM (DDI 0487) C4.1.94 "Loads and Stores". Watchpoints need it: a read
 * leaves no trace in memory.
 */
import { type Address, addressFromWords } from './address.js';
import { Reg, type RegisterFile } from './registers.js';

/** The bytes `[address, address + size)` that one instruction accesses. Pairs and structures are contiguous. */
export class MemoryAccess {
  address: Address = 0;
  /** Bytes, 1 to 64. */
  size = 0;
  reads = false;
  /** Also true of a conditional store (STXR, CAS), which may not happen. */
  writes = false;
}

/** DC ZVA, Xt (Arm ARM C5.3.15): zeroes a block. */
const DC_ZVA = 0xd50b7420;
/** Bytes of that block: 4 << DCZID_EL0.BS, 64 on every Cortex-A and on the emulated CPU. */
const ZVA_BLOCK = 64;

const LOAD = 1;
const STORE = 2;
const BOTH = LOAD | STORE;

/**
 * Find what `word` at the PC of `registers` accesses. Prefetches and cache maintenance do not count.
 * Tag instructions (MTE), memory copies (MOPS), LDRAA and 64-byte atomics are not decoded: the
 * emulated CPU does not have them.
 * @returns false: no memory, and `into` is unchanged
 */
export function decodeLoadStore(
  word: number,
  registers: RegisterFile,
  into: MemoryAccess,
): boolean {
  const op = word >>> 0;
  if ((op & 0xffffffe0) >>> 0 === DC_ZVA) return zeroBlock(op, registers, into);
  // Bits 28:25 are x1x0.
  if ((op & 0x0a000000) >>> 0 !== 0x08000000) return false;
  switch ((op >>> 28) & 3) {
    case 0:
      return simd(op) ? structures(op, registers, into) : exclusive(op, registers, into);
    case 1:
      return bit(op, 24) ? releaseUnscaled(op, registers, into) : literal(op, registers, into);
    case 2:
      return pair(op, registers, into);
    default:
      return single(op, registers, into);
  }
}

function bit(op: number, index: number): boolean {
  return ((op >>> index) & 1) !== 0;
}

/** V: the SIMD and floating-point registers. */
function simd(op: number): boolean {
  return bit(op, 26);
}

/** Bits 31:30. */
function sizeField(op: number): number {
  return op >>> 30;
}

/** Xn or SP (Rn in bits 9:5), plus a 64-bit offset in words. */
function at(
  op: number,
  registers: RegisterFile,
  offset: number,
  offsetHigh: number,
  size: number,
  kind: number,
  into: MemoryAccess,
): boolean {
  const { words } = registers;
  const base = (op >>> 5) & 31;
  const low = (words[2 * base] as number) + (offset >>> 0);
  const high = (words[2 * base + 1] as number) + offsetHigh + (low > 0xffffffff ? 1 : 0);
  into.address = addressFromWords(low, high);
  into.size = size;
  into.reads = (kind & LOAD) !== 0;
  into.writes = (kind & STORE) !== 0;
  return true;
}

/** {@link at} with an offset that fits 32 bits, signed. */
function near(
  op: number,
  registers: RegisterFile,
  offset: number,
  size: number,
  kind: number,
  into: MemoryAccess,
): boolean {
  return at(op, registers, offset, offset < 0 ? -1 : 0, size, kind, into);
}

function zeroBlock(op: number, { words }: RegisterFile, into: MemoryAccess): boolean {
  const index = op & 31;
  const low = index === 31 ? 0 : (words[2 * index] as number);
  const high = index === 31 ? 0 : (words[2 * index + 1] as number);
  into.address = addressFromWords(low & -ZVA_BLOCK, high);
  into.size = ZVA_BLOCK;
  into.reads = false;
  into.writes = true;
  return true;
}

/** Load/store exclusive, ordered, and compare-and-swap: o2 in bit 23, L in 22, o1 in 21. */
function exclusive(op: number, registers: RegisterFile, into: MemoryAccess): boolean {
  if (bit(op, 24)) return false;
  const size = sizeField(op);
  const ordered = bit(op, 23);
  const kind = bit(op, 22) ? LOAD : STORE;
  if (!bit(op, 21)) return near(op, registers, 0, 1 << size, kind, into);
  const all = ((op >>> 10) & 31) === 31;
  // CAS.
  if (ordered) return all && near(op, registers, 0, 1 << size, BOTH, into);
  // Two words or two doublewords: STXP and LDXP; CASP, where bit 31 is 0.
  const bytes = 8 << (size & 1);
  if (size >= 2) return near(op, registers, 0, bytes, kind, into);
  return all && near(op, registers, 0, bytes, BOTH, into);
}

/** Registers of LD1..LD4 and ST1..ST4 (multiple structures) by opcode, bits 15:12; 0: unallocated. */
const STRUCTURE_REGISTERS = [4, 0, 4, 0, 3, 0, 3, 1, 2, 0, 2, 0, 0, 0, 0, 0];

/** Advanced SIMD structures, whole or one element of each. */
function structures(op: number, registers: RegisterFile, into: MemoryAccess): boolean {
  if (bit(op, 31)) return false;
  const post = bit(op, 23);
  if (!post && ((op >>> 16) & 31) !== 0) return false;
  const kind = bit(op, 22) ? LOAD : STORE;
  const bytes = bit(op, 24) ? elementBytes(op) : wholeBytes(op);
  return bytes > 0 && near(op, registers, 0, bytes, kind, into);
}

function wholeBytes(op: number): number {
  if (bit(op, 21)) return 0;
  const opcode = (op >>> 12) & 15;
  const vector = bit(op, 30) ? 16 : 8;
  // Doubleword elements in 64-bit vectors exist for LD1 and ST1 only: opcodes with bit 1 set.
  if (vector === 8 && ((op >>> 10) & 3) === 3 && (opcode & 2) === 0) return 0;
  return (STRUCTURE_REGISTERS[opcode] as number) * vector;
}

/** One element for each of 1 to 4 registers; opcode in bits 15:13, S in 12, size in 11:10. */
function elementBytes(op: number): number {
  const opcode = (op >>> 13) & 7;
  const count = 1 + (((opcode & 1) << 1) | Number(bit(op, 21)));
  const s = bit(op, 12);
  const size = (op >>> 10) & 3;
  switch (opcode >>> 1) {
    case 0:
      return count;
    case 1:
      return (size & 1) === 0 ? 2 * count : 0;
    case 2:
      if (size === 0) return 4 * count;
      return size === 1 && !s ? 8 * count : 0;
    default:
      // Load and replicate; there is no such store.
      return bit(op, 22) && !s ? count << size : 0;
  }
}

/** LDR, LDRSW (literal): relative to the PC. */
function literal(op: number, { words }: RegisterFile, into: MemoryAccess): boolean {
  const opc = sizeField(op);
  if (opc === 3) return false;
  const bytes = simd(op) ? 4 << opc : opc === 1 ? 8 : 4;
  // imm19 * 4, signed.
  const offset = ((op << 8) >> 13) << 2;
  const low = (words[2 * Reg.PC] as number) + (offset >>> 0);
  const high = (words[2 * Reg.PC + 1] as number) + (offset < 0 ? -1 : 0);
  into.address = addressFromWords(low, high + (low > 0xffffffff ? 1 : 0));
  into.size = bytes;
  into.reads = true;
  into.writes = false;
  return true;
}

/** LDAPUR, STLUR and their narrow forms. */
function releaseUnscaled(op: number, registers: RegisterFile, into: MemoryAccess): boolean {
  if (simd(op) || bit(op, 21) || ((op >>> 10) & 3) !== 0) return false;
  const kind = scalarKind(op);
  if (kind === 0) return false;
  return near(op, registers, signed9(op), 1 << sizeField(op), kind, into);
}

/** imm9 in bits 20:12. */
function signed9(op: number): number {
  return (op << 11) >> 23;
}

/** Load or store by size and opc (bits 23:22) of a general register; 0: a prefetch or unallocated. */
function scalarKind(op: number): number {
  const opc = (op >>> 22) & 3;
  if (opc === 0) return STORE;
  // A sign extension to 64 bits needs a smaller size, one to 32 bits a smaller one still.
  return opc === 1 || sizeField(op) + opc < 5 ? LOAD : 0;
}

/** STP, LDP, LDPSW, STNP, LDNP. */
function pair(op: number, registers: RegisterFile, into: MemoryAccess): boolean {
  const opc = sizeField(op);
  const load = bit(op, 22);
  const mode = (op >>> 23) & 3;
  if (opc === 3) return false;
  let bytes = 4 << opc;
  if (!simd(op)) {
    bytes = opc === 2 ? 8 : 4;
    // LDPSW; the store is STGP.
    if (opc === 1 && (!load || mode === 0)) return false;
  }
  // imm7 in bits 21:15, scaled. Mode 1 is post-indexed.
  const offset = mode === 1 ? 0 : ((op << 10) >> 25) * bytes;
  return near(op, registers, offset, 2 * bytes, load ? LOAD : STORE, into);
}

/** A single register, in all its addressing modes. */
function single(op: number, registers: RegisterFile, into: MemoryAccess): boolean {
  const form = (op >>> 10) & 3;
  const indexed = !bit(op, 24) && bit(op, 21);
  if (indexed && form === 0) return atomic(op, registers, into);
  if (indexed && form !== 2) return false;
  // There are no unprivileged loads of SIMD registers.
  if (!bit(op, 24) && !indexed && form === 2 && simd(op)) return false;

  const scale = simd(op) ? simdScale(op) : sizeField(op);
  if (scale < 0) return false;
  const kind = simd(op) ? (bit(op, 22) ? LOAD : STORE) : scalarKind(op);
  if (kind === 0) return false;
  const bytes = 1 << scale;
  if (bit(op, 24)) return near(op, registers, ((op >>> 10) & 0xfff) * bytes, bytes, kind, into);
  if (indexed) return registerOffset(op, registers, scale, kind, into);
  return near(op, registers, form === 1 ? 0 : signed9(op), bytes, kind, into);
}

/** log2 of the bytes of a SIMD register access, bit 23 being its highest bit; -1: unallocated. */
function simdScale(op: number): number {
  if (!bit(op, 23)) return sizeField(op);
  return sizeField(op) === 0 ? 4 : -1;
}

/** [Xn, Rm, extend #amount]: option in bits 15:13, S in 12. */
function registerOffset(
  op: number,
  registers: RegisterFile,
  scale: number,
  kind: number,
  into: MemoryAccess,
): boolean {
  const option = (op >>> 13) & 7;
  if ((option & 2) === 0) return false;
  const index = (op >>> 16) & 31;
  const { words } = registers;
  const low = index === 31 ? 0 : (words[2 * index] as number);
  let high = index === 31 ? 0 : (words[2 * index + 1] as number);
  // UXTW, SXTW; LSL and SXTX take the register as it is.
  if (option === 2) high = 0;
  if (option === 6) high = low >> 31;
  const shift = bit(op, 12) ? scale : 0;
  const shiftedHigh = shift === 0 ? high : (high << shift) | (low >>> (32 - shift));
  return at(op, registers, low << shift, shiftedHigh, 1 << scale, kind, into);
}

/** LDADD and its like, SWP, and LDAPR, which only loads. o3 in bit 15, opc in 14:12. */
function atomic(op: number, registers: RegisterFile, into: MemoryAccess): boolean {
  if (simd(op)) return false;
  const bytes = 1 << sizeField(op);
  if (!bit(op, 15)) return near(op, registers, 0, bytes, BOTH, into);
  switch ((op >>> 12) & 7) {
    case 0:
      return near(op, registers, 0, bytes, BOTH, into);
    case 4: {
      const acquires = ((op >>> 22) & 3) === 2 && ((op >>> 16) & 31) === 31;
      return acquires && near(op, registers, 0, bytes, LOAD, into);
    }
    default:
      return false;
  }
}
