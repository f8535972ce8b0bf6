/**
 * What a load or store does, decoded from its word: which register the address comes from, how far
 * it reaches, and which general registers it changes. Enough to compute its effective address and to
 * carry it out by hand where the memory is not there. Arm ARM C4.1.94 "Loads and Stores".
 */

/** How the base register changes. */
export const Writeback = { NONE: 0, PRE: 1, POST: 2 } as const;

/** One decoded load or store. A scratch: {@link decodeLoadStore} fills it, nothing is allocated. */
export interface LoadStore {
  /** It reads memory. Atomics and exclusives may do both. */
  load: boolean;
  store: boolean;
  /** Register with the base address: 0..30, 31 for SP, or -1 for a PC-relative literal. */
  base: number;
  /** Signed bytes added to the base (or to the PC). With {@link Writeback} POST, only afterwards. */
  offset: number;
  /** Index register, or -1. Its extended and shifted value is added too. */
  index: number;
  /** `option` field of the index: 2 UXTW, 3 LSL, 6 SXTW, 7 SXTX. */
  extend: number;
  shift: number;
  writeback: number;
  /** Bytes accessed in all. */
  size: number;
  /** The first and second transfer registers are general ones, not SIMD. */
  general: boolean;
  /** Transfer registers, or -1. */
  rt: number;
  rt2: number;
  /** A third general register that is written: the status of an exclusive store, or -1. */
  status: number;
  /** PRFM and the like: no access. */
  hint: boolean;
  /** Sign-extending load. */
  signed: boolean;
  /** Atomic read-modify-write, exclusive or compare-and-swap. */
  atomic: boolean;
}

/** A scratch to decode into. */
export function emptyLoadStore(): LoadStore {
  return {
    load: false,
    store: false,
    base: 0,
    offset: 0,
    index: -1,
    extend: 3,
    shift: 0,
    writeback: Writeback.NONE,
    size: 0,
    general: true,
    rt: -1,
    rt2: -1,
    status: -1,
    hint: false,
    signed: false,
    atomic: false,
  };
}

/** Whether the word is in the loads-and-stores group: op0 (bits 28:25) is x1x0. */
export function isLoadStore(word: number): boolean {
  return ((word >>> 25) & 5) === 4;
}

/**
 * Decode a word for which {@link isLoadStore} holds.
 * @returns false for an encoding that is not known; `out` is then of no use
 */
export function decodeLoadStore(word: number, out: LoadStore): boolean {
  out.rt = word & 31;
  out.base = (word >>> 5) & 31;
  out.rt2 = -1;
  out.status = -1;
  out.index = -1;
  out.offset = 0;
  out.extend = 3;
  out.shift = 0;
  out.writeback = Writeback.NONE;
  out.general = ((word >>> 26) & 1) === 0;
  out.hint = false;
  out.signed = false;
  out.atomic = false;
  const op1 = (word >>> 28) & 3;
  switch (op1) {
    case 0:
      return out.general ? decodeExclusive(word, out) : decodeStructure(word, out);
    case 1:
      return ((word >>> 24) & 1) === 0 ? decodeLiteral(word, out) : decodeOther(word, out);
    case 2:
      return decodePair(word, out);
    default:
      return decodeSingle(word, out);
  }
}

/** Exclusives, load-acquire, store-release, compare and swap. */
function decodeExclusive(word: number, out: LoadStore): boolean {
  if (
    word >>> 24 === 0x08 ||
    word >>> 24 === 0x48 ||
    word >>> 24 === 0x88 ||
    word >>> 24 === 0xc8
  ) {
    const size = 1 << (word >>> 30);
    const o2 = (word >>> 23) & 1;
    const isLoad = ((word >>> 22) & 1) === 1;
    const o1 = (word >>> 21) & 1;
    const rs = (word >>> 16) & 31;
    out.load = isLoad;
    out.store = !isLoad;
    out.size = size;
    if (o2 === 1 && o1 === 1) {
      // CAS: Rs is compared and receives the old value.
      out.load = out.store = out.atomic = true;
      out.status = rs;
      return true;
    }
    if (o2 === 1) return true;
    out.atomic = true;
    if (o1 === 1 && size < 4) {
      // CASP: Rs and Rs+1 receive the old pair.
      out.load = out.store = true;
      out.size = size === 1 ? 8 : 16;
      out.status = rs;
      out.rt2 = Math.min(rs + 1, 30);
      return true;
    }
    if (o1 === 1) {
      out.rt2 = (word >>> 10) & 31;
      out.size = 2 * size;
    }
    if (!isLoad) out.status = rs;
    return true;
  }
  return false;
}

/** LD1..LD4 and ST1..ST4: only SIMD registers and perhaps the base change. */
function decodeStructure(word: number, out: LoadStore): boolean {
  const isLoad = ((word >>> 22) & 1) === 1;
  out.load = isLoad;
  out.store = !isLoad;
  out.rt = -1;
  const single = ((word >>> 24) & 1) === 1;
  const bytes = single ? singleStructureBytes(word) : multipleStructureBytes(word);
  out.size = bytes;
  if (((word >>> 23) & 1) === 1) {
    out.writeback = Writeback.POST;
    const rm = (word >>> 16) & 31;
    if (rm === 31) out.offset = bytes;
    else out.index = rm;
  }
  return true;
}

function multipleStructureBytes(word: number): number {
  const registers = [4, 0, 4, 0, 3, 0, 3, 1, 2, 0, 2][(word >>> 12) & 15] ?? 4;
  return Math.max(1, registers) * (((word >>> 30) & 1) === 1 ? 16 : 8);
}

function singleStructureBytes(word: number): number {
  const opcode = (word >>> 13) & 7;
  const count = 1 + (((opcode & 1) << 1) | ((word >>> 21) & 1));
  const scale = opcode >> 1;
  if (scale === 3) return count * (1 << ((word >>> 10) & 3));
  if (scale === 2) return count * (((word >>> 10) & 1) === 1 ? 8 : 4);
  return count * (1 << scale);
}

function decodeLiteral(word: number, out: LoadStore): boolean {
  out.load = true;
  out.store = false;
  out.base = -1;
  out.offset = ((word << 8) >> 13) * 4;
  const opc = word >>> 30;
  if (out.general) {
    out.size = opc === 1 ? 8 : 4;
    out.signed = opc === 2;
    out.hint = opc === 3;
  } else {
    out.size = 4 << opc;
  }
  if (out.hint) out.rt = -1;
  return true;
}

/** Unscaled load-acquire and store-release, memory tags, memory copy and set. */
function decodeOther(word: number, out: LoadStore): boolean {
  out.offset = (word << 11) >> 23;
  if ((word & 0x3f200c00) >>> 0 === 0x19000000) {
    const opc = (word >>> 22) & 3;
    out.load = opc !== 0;
    out.store = opc === 0;
    out.signed = opc > 1;
    out.size = 1 << (word >>> 30);
    return true;
  }
  if (word >>> 24 === 0xd9 && ((word >>> 21) & 1) === 1) {
    // STG and its kin store tags, which nothing here models; LDG changes bits of Rt.
    const op2 = (word >>> 10) & 3;
    out.load = op2 === 0 && ((word >>> 22) & 3) !== 0;
    out.store = false;
    out.hint = !out.load;
    out.size = 16;
    out.offset *= 16;
    if (op2 === 1) out.writeback = Writeback.POST;
    if (op2 === 3) out.writeback = Writeback.PRE;
    if (out.hint) out.rt = -1;
    return true;
  }
  return false;
}

function decodePair(word: number, out: LoadStore): boolean {
  const opc = word >>> 30;
  const isLoad = ((word >>> 22) & 1) === 1;
  out.load = isLoad;
  out.store = !isLoad;
  out.rt2 = (word >>> 10) & 31;
  let scale: number;
  if (!out.general) scale = 2 + opc;
  else if (opc === 1) {
    // LDPSW; without the load bit STGP, which stores a pair of 64-bit registers, scaled by 16.
    scale = isLoad ? 2 : 4;
    out.signed = isLoad;
  } else scale = opc === 2 ? 3 : 2;
  out.offset = ((word << 10) >> 25) * (1 << scale);
  out.size = out.general && opc === 1 && !isLoad ? 16 : 2 << scale;
  const mode = (word >>> 23) & 3;
  if (mode === 1) out.writeback = Writeback.POST;
  if (mode === 3) out.writeback = Writeback.PRE;
  return opc !== 3 || !out.general;
}

function decodeSingle(word: number, out: LoadStore): boolean {
  const opc = (word >>> 22) & 3;
  const sizeField = word >>> 30;
  if (out.general) {
    out.load = opc !== 0;
    out.store = opc === 0;
    out.signed = opc > 1;
    out.hint = sizeField === 3 && opc === 2;
    out.size = 1 << sizeField;
  } else {
    out.load = (opc & 1) === 1;
    out.store = !out.load;
    out.size = opc > 1 ? 16 : 1 << sizeField;
  }
  if (out.hint) {
    out.load = out.store = false;
    out.rt = -1;
  }
  if (((word >>> 24) & 1) === 1) {
    out.offset = ((word >>> 10) & 0xfff) * out.size;
    return true;
  }
  const op2 = (word >>> 10) & 3;
  if (((word >>> 21) & 1) === 0) {
    out.offset = (word << 11) >> 23;
    if (op2 === 1) out.writeback = Writeback.POST;
    if (op2 === 3) out.writeback = Writeback.PRE;
    return true;
  }
  if (op2 === 2) {
    out.index = (word >>> 16) & 31;
    out.extend = (word >>> 13) & 7;
    if (((word >>> 12) & 1) === 1) out.shift = 31 - Math.clz32(out.size);
    return true;
  }
  if (op2 === 0) {
    // LSE atomics, LDAPR and LD64B: Rt receives the old value, nothing but the base is added.
    out.load = out.store = out.atomic = true;
    out.size = 1 << sizeField;
    return out.general;
  }
  // LDRAA, LDRAB: S:imm9 scaled by 8.
  out.load = true;
  out.store = false;
  out.size = 8;
  const imm = ((word >>> 12) & 0x1ff) | (((word >>> 22) & 1) << 9);
  out.offset = ((imm << 22) >> 22) * 8;
  if (op2 === 3) out.writeback = Writeback.PRE;
  return true;
}
