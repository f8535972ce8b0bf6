/**
 * Decodes loads and stores: the base register, the offset, how many bytes are accessed, and which
 * general registers change. Arm ARM (DDI 0487) C4.1.94 "Loads and Stores". Unallocated encodings
 * are refused.
 */

import { bit } from './instruction.js';
import { structureBytes } from './simd-structure.js';

/** How the base register changes. */
export const Writeback = { NONE: 0, PRE: 1, POST: 2 } as const;

/** `option` field of an index that is not extended: LSL. */
const EXTEND_LSL = 3;

/**
 * The fields of one load or store. Reusable: {@link decodeLoadStore} fills it and allocates
 * nothing.
 */
export class LoadStore {
  /** It reads memory. Atomics both read and write. */
  load = false;
  /** It writes memory. Also set for a store that may not happen (STXR, CAS). */
  store = false;
  /** Base register: 0..30, 31 for SP, or -1 for a PC-relative literal. */
  base = 0;
  /**
   * Signed bytes added to the base (or to the PC); after the access with {@link Writeback} POST.
   */
  offset = 0;
  /** Index register (31: XZR), or -1. Its extended and shifted value is added like the offset. */
  index = -1;
  /** `option` field of the index: 2 UXTW, 3 LSL, 6 SXTW, 7 SXTX. */
  extend: number = EXTEND_LSL;
  shift = 0;
  writeback: number = Writeback.NONE;
  /** Total bytes accessed, 1 to 64. Pairs and structures are contiguous. */
  size = 0;
  /** The transfer registers are general registers, not SIMD. */
  general = true;
  /** Transfer registers (31: XZR), or -1. */
  rt = -1;
  rt2 = -1;
  /**
   * A further general register that is written, or -1: the status of an exclusive store, Rs of a
   * compare-and-swap, Rt of LDG and LDGM.
   */
  status = -1;
  /** It accesses no data: a prefetch or an access to memory tags. */
  hint = false;
  /** Sign-extending load. */
  signed = false;
  /** Atomic read-modify-write, exclusive or compare-and-swap. */
  atomic = false;
  /** LDRAA, LDRAB: the base is a signed pointer, authenticated before the access. */
  authenticated = false;
}

/** Whether the word is in the loads-and-stores group: op0 (bits 28:25) is x1x0. */
export function isLoadStore(word: number): boolean {
  return ((word >>> 25) & 5) === 4;
}

/**
 * Decodes a word for which {@link isLoadStore} holds. Memory copies (MOPS), 64-byte accesses and
 * instructions added after Armv8.7 are not known.
 * @returns false for an unknown or unallocated encoding; `out` then holds nothing useful
 */
export function decodeLoadStore(word: number, out: LoadStore): boolean {
  out.load = out.store = false;
  out.base = (word >>> 5) & 31;
  out.offset = 0;
  out.index = -1;
  out.extend = EXTEND_LSL;
  out.shift = 0;
  out.writeback = Writeback.NONE;
  out.size = 0;
  out.general = !bit(word, 26);
  out.rt = word & 31;
  out.rt2 = -1;
  out.status = -1;
  out.hint = false;
  out.signed = false;
  out.atomic = false;
  out.authenticated = false;
  switch ((word >>> 28) & 3) {
    case 0:
      return out.general ? exclusive(word, out) : structures(word, out);
    case 1:
      if (!bit(word, 24)) return literal(word, out);
      return out.general && (bit(word, 21) ? tags(word, out) : releaseUnscaled(word, out));
    case 2:
      return pair(word, out);
    default:
      return single(word, out);
  }
}

/** Bits 31:30. */
function sizeField(word: number): number {
  return word >>> 30;
}

/** Bits 20:16: Rs, or Rm of an index. */
function registerField(word: number): number {
  return (word >>> 16) & 31;
}

/** imm9 in bits 20:12. */
function signed9(word: number): number {
  return (word << 11) >> 23;
}

/** L in bit 22: load or store. */
function direct(word: number, out: LoadStore): void {
  out.load = bit(word, 22);
  out.store = !out.load;
}

/** Writeback of an addressing mode: bits 11:10 of an imm9 form, bits 24:23 of a pair. */
function writebackOf(mode: number): number {
  if (mode === 1) return Writeback.POST;
  return mode === 3 ? Writeback.PRE : Writeback.NONE;
}

/** Marks an instruction that accesses no data and transfers no register. */
function noAccess(out: LoadStore): boolean {
  out.load = out.store = false;
  out.rt = -1;
  out.hint = true;
  return true;
}

function readModifyWrite(out: LoadStore): boolean {
  out.load = out.store = out.atomic = true;
  return true;
}

/** Load/store exclusive, ordered, and compare-and-swap: o2 in bit 23, L in 22, o1 in 21. */
function exclusive(word: number, out: LoadStore): boolean {
  if (bit(word, 24)) return false;
  const size = sizeField(word);
  const ordered = bit(word, 23);
  out.size = 1 << size;
  direct(word, out);
  if (ordered && !bit(word, 21)) return true;
  const rs = registerField(word);
  const rt2 = (word >>> 10) & 31;
  if (bit(word, 21) && (ordered || size < 2)) {
    // CAS and CASP: Rs is compared, and receives the old value of memory.
    if (rt2 !== 31) return false;
    out.status = rs;
    if (!ordered) {
      // CASP: pairs of words or doublewords, each in an even register and the one after it.
      if (bit(rs | out.rt, 0)) return false;
      out.size = 8 << size;
      out.rt2 = rs + 1;
    }
    return readModifyWrite(out);
  }
  out.atomic = true;
  if (bit(word, 21)) {
    out.rt2 = rt2;
    out.size *= 2;
  }
  if (out.store) out.status = rs;
  return true;
}

/**
 * Advanced SIMD structures, whole or a single element. Of the general registers only the base
 * changes.
 */
function structures(word: number, out: LoadStore): boolean {
  if (bit(word, 31)) return false;
  direct(word, out);
  out.rt = -1;
  out.size = structureBytes(word);
  const rm = registerField(word);
  if (!bit(word, 23)) return out.size > 0 && rm === 0;
  out.writeback = Writeback.POST;
  if (rm === 31) out.offset = out.size;
  else out.index = rm;
  return out.size > 0;
}

/** LDR, LDRSW and PRFM (literal): relative to the PC. */
function literal(word: number, out: LoadStore): boolean {
  const opc = sizeField(word);
  out.base = -1;
  // imm19 * 4, signed.
  out.offset = ((word << 8) >> 13) * 4;
  if (opc === 3) return out.general && noAccess(out);
  out.load = true;
  out.signed = out.general && opc === 2;
  out.size = out.general ? (opc === 1 ? 8 : 4) : 4 << opc;
  return true;
}

/** LDAPUR, STLUR and their narrow forms. */
function releaseUnscaled(word: number, out: LoadStore): boolean {
  if (((word >>> 10) & 3) !== 0) return false;
  out.offset = signed9(word);
  return scalar(word, out);
}

/**
 * STG and its variants, and LDG: imm9 in granules of 16 bytes. Tags are not modelled, nor is the
 * data that STZG and its variants zero. LDG and LDGM write Rt.
 */
function tags(word: number, out: LoadStore): boolean {
  const mode = (word >>> 10) & 3;
  const opc = (word >>> 22) & 3;
  if (sizeField(word) !== 3) return false;
  out.offset = 16 * signed9(word);
  out.writeback = writebackOf(mode);
  // STZGM, STGM and LDGM, for many granules, have no offset.
  if (mode === 0 && opc !== 1 && out.offset !== 0) return false;
  if (mode === 0 && (opc & 1) === 1) out.status = out.rt;
  return noAccess(out);
}

/**
 * Size and opc (bits 23:22) of a general register.
 * @returns false for a prefetch or an unallocated word
 */
function scalar(word: number, out: LoadStore): boolean {
  const opc = (word >>> 22) & 3;
  const size = sizeField(word);
  out.load = opc !== 0;
  out.store = opc === 0;
  out.signed = opc > 1;
  out.size = 1 << size;
  // Sign extension to 64 bits needs an access below 8 bytes; to 32 bits, one below 4 bytes.
  return opc < 2 || size + opc < 5;
}

/** Size of a SIMD register; the upper bit of opc is the top bit of the size. */
function vector(word: number, out: LoadStore): boolean {
  const size = sizeField(word);
  direct(word, out);
  out.size = bit(word, 23) ? 16 : 1 << size;
  return !bit(word, 23) || size === 0;
}

/** STP, LDP, LDPSW, STGP, STNP, LDNP. */
function pair(word: number, out: LoadStore): boolean {
  const opc = sizeField(word);
  const mode = (word >>> 23) & 3;
  if (opc === 3) return false;
  direct(word, out);
  out.rt2 = (word >>> 10) & 31;
  let bytes = 4 << opc;
  let unit = bytes;
  if (out.general) {
    bytes = unit = opc === 2 ? 8 : 4;
    if (opc === 1) {
      if (mode === 0) return false;
      out.signed = out.load;
      // STGP stores doublewords, and counts its offset in granules of 16 bytes.
      if (out.store) [bytes, unit] = [8, 16];
    }
  }
  // imm7 in bits 21:15, scaled.
  out.offset = ((word << 10) >> 25) * unit;
  out.size = 2 * bytes;
  out.writeback = writebackOf(mode);
  return true;
}

/** A single register, in every addressing mode. */
function single(word: number, out: LoadStore): boolean {
  const form = (word >>> 10) & 3;
  const scaled = bit(word, 24);
  const indexed = !scaled && bit(word, 21);
  if (indexed && form === 0) return out.general && atomic(word, out);
  if (indexed && form !== 2) return out.general && authenticated(word, out);
  // LDTR and its variants have no SIMD form.
  const unprivileged = !scaled && !indexed && form === 2;
  if (unprivileged && !out.general) return false;

  if (!(out.general ? scalar(word, out) : vector(word, out))) {
    // PRFM and PRFUM have a size and opc of their own, and no writeback.
    const isPrefetch = out.general && ((word >>> 22) & 3) === 2 && sizeField(word) === 3;
    if (!isPrefetch || !(scaled || indexed || form === 0)) return false;
    noAccess(out);
  }
  if (scaled) {
    out.offset = ((word >>> 10) & 0xfff) * out.size;
  } else if (indexed) {
    // [Xn, Rm, extend #amount]: option in bits 15:13, S in 12.
    out.index = registerField(word);
    out.extend = (word >>> 13) & 7;
    if (bit(word, 12)) out.shift = 31 - Math.clz32(out.size);
    return (out.extend & 2) !== 0;
  } else {
    out.offset = signed9(word);
    out.writeback = writebackOf(form);
  }
  return true;
}

/** LDADD and its variants, SWP, and LDAPR, which only loads. o3 in bit 15, opc in 14:12. */
function atomic(word: number, out: LoadStore): boolean {
  out.size = 1 << sizeField(word);
  const opc = (word >>> 12) & 7;
  if (!bit(word, 15) || opc === 0) return readModifyWrite(out);
  out.load = true;
  return opc === 4 && ((word >>> 22) & 3) === 2 && registerField(word) === 31;
}

/** LDRAA, LDRAB: S:imm9 scaled by 8, S in bit 22; W in bit 11. */
function authenticated(word: number, out: LoadStore): boolean {
  if (sizeField(word) !== 3) return false;
  out.load = true;
  out.authenticated = true;
  out.size = 8;
  const imm10 = ((word >>> 12) & 0x1ff) | (Number(bit(word, 22)) << 9);
  out.offset = ((imm10 << 22) >> 22) * 8;
  if (bit(word, 11)) out.writeback = Writeback.PRE;
  return true;
}
