/**
 * A model of pointer authentication. The engine's default CPU executes the PAC hints as NOPs, and
 * its `max` CPU aborts on the key registers. A PAC goes where the architecture puts it for a 48-bit
 * VA without TBI: bits 63:56 and 54:48, with bit 55 left alone (Arm ARM D8.10). The PAC is a simple
 * mix of pointer, modifier and key instead of QARMA: nothing here depends on its strength, only on
 * its presence, and on its being different for another modifier or key.
 */
import { Reg, type RegisterFile } from './registers.js';

/** What a pointer-authentication instruction does to its register. */
type PauthOperation = 'sign' | 'authenticate' | 'strip';

/** Outcome of executing a pointer-authentication instruction. */
export const PauthOutcome = {
  /** The register may have changed; write it back to the engine. */
  DONE: 0,
  /** Authentication failed: the pointer is now poisoned, as it is without FEAT_FPAC. */
  FAILED: 1,
} as const;

/** Bits of the high word that hold the PAC: 63:56 and 54:48. */
const PAC_MASK = 0xff7f0000;
/** Bit 55, in the high word: selects the half of the address space. */
const BIT_55 = 0x00800000;
/** Bits 62:61: where a failed authentication leaves its error code. */
const ERROR_CODE = 0x60000000;

/** The high word of a pointer with its PAC removed: bits 63:48 become copies of bit 55. */
export function stripHighWord(high: number): number {
  return (high & BIT_55) !== 0 ? (high | 0xffff0000) >>> 0 : high & 0x0000ffff;
}

/** The PAC, in its place in the high word. */
function pacOf(low: number, high: number, modLow: number, modHigh: number, keyB: boolean): number {
  let hash = keyB ? 0x9e3779b9 : 0x7f4a7c15;
  for (const part of [low, stripHighWord(high), modLow, modHigh]) {
    hash = Math.imul(hash ^ part, 0x85ebca6b);
    hash ^= hash >>> 15;
    hash = Math.imul(hash, 0xc2b2ae35);
    hash ^= hash >>> 13;
  }
  // A PAC that equals the sign extension would leave the pointer looking unsigned. Avoid it, so
  // that a missing strip is always noticed.
  const plain = (high & BIT_55) !== 0 ? PAC_MASK : 0;
  const pac = (hash & PAC_MASK) >>> 0;
  return pac === plain >>> 0 ? (pac ^ 0x00010000) >>> 0 : pac;
}

/** What a hint does, on which register, with which modifier and key; found by its CRm:op2. */
interface PauthHint {
  readonly operation: PauthOperation;
  /** The register that is signed: X30, or X17 for the 1716 forms. */
  readonly register: number;
  /** The register that holds the modifier, SP or X16; -1 for zero. */
  readonly modifier: number;
  readonly keyB: boolean;
}

const HINTS = new Map<number, PauthHint>([
  [0x07, { operation: 'strip', register: Reg.X30, modifier: -1, keyB: false }],
  [0x08, { operation: 'sign', register: Reg.X17, modifier: Reg.X16, keyB: false }],
  [0x0a, { operation: 'sign', register: Reg.X17, modifier: Reg.X16, keyB: true }],
  [0x0c, { operation: 'authenticate', register: Reg.X17, modifier: Reg.X16, keyB: false }],
  [0x0e, { operation: 'authenticate', register: Reg.X17, modifier: Reg.X16, keyB: true }],
  [0x18, { operation: 'sign', register: Reg.X30, modifier: -1, keyB: false }],
  [0x19, { operation: 'sign', register: Reg.X30, modifier: Reg.SP, keyB: false }],
  [0x1a, { operation: 'sign', register: Reg.X30, modifier: -1, keyB: true }],
  [0x1b, { operation: 'sign', register: Reg.X30, modifier: Reg.SP, keyB: true }],
  [0x1c, { operation: 'authenticate', register: Reg.X30, modifier: -1, keyB: false }],
  [0x1d, { operation: 'authenticate', register: Reg.X30, modifier: Reg.SP, keyB: false }],
  [0x1e, { operation: 'authenticate', register: Reg.X30, modifier: -1, keyB: true }],
  [0x1f, { operation: 'authenticate', register: Reg.X30, modifier: Reg.SP, keyB: true }],
]);

/** The authentication that RETAA (bit 10 clear) and RETAB do before they return. */
const RETAA: PauthHint = {
  operation: 'authenticate',
  register: Reg.X30,
  modifier: Reg.SP,
  keyB: false,
};
const RETAB: PauthHint = { ...RETAA, keyB: true };

/**
 * Carry out a PAC hint (PACIASP, AUTIASP, XPACLRI, ...) on the register file.
 * @param word instruction word of class PAUTH_HINT
 * @returns one of {@link PauthOutcome}
 */
export function executePauthHint(word: number, registers: RegisterFile): number {
  const hint = HINTS.get((word >>> 5) & 0x7f);
  return hint === undefined ? PauthOutcome.DONE : apply(hint, registers.words);
}

/**
 * Carry out the authentication half of RETAA or RETAB.
 * @returns one of {@link PauthOutcome}
 */
export function executeReturnAuth(word: number, registers: RegisterFile): number {
  return apply((word & 0x400) === 0 ? RETAA : RETAB, registers.words);
}

function apply(hint: PauthHint, words: Uint32Array): number {
  const at = 2 * hint.register;
  const low = words[at] as number;
  const high = words[at + 1] as number;
  if (hint.operation === 'strip') {
    words[at + 1] = stripHighWord(high);
    return PauthOutcome.DONE;
  }
  const modLow = hint.modifier < 0 ? 0 : (words[2 * hint.modifier] as number);
  const modHigh = hint.modifier < 0 ? 0 : (words[2 * hint.modifier + 1] as number);
  const pac = pacOf(low, high, modLow, modHigh, hint.keyB);
  if (hint.operation === 'sign') {
    words[at + 1] = ((high & ~PAC_MASK) | pac) >>> 0;
    return PauthOutcome.DONE;
  }
  if ((high & PAC_MASK) >>> 0 === pac) {
    words[at + 1] = stripHighWord(high);
    return PauthOutcome.DONE;
  }
  // The architecture's error code: bits 62:61 become 0b01 (key A) or 0b10 (key B).
  const poisoned = stripHighWord(high) & ~ERROR_CODE;
  words[at + 1] = (poisoned | (hint.keyB ? 0x40000000 : 0x20000000)) >>> 0;
  return PauthOutcome.FAILED;
}
