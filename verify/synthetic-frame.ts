/**
 * The made-up caller of every function under verification. Keeps track of where its return address and
 * its frame pointer are at any time.
 *
 * Both are numbers that occur nowhere else. So a register or stack word that holds one of them can only
 * have got it from the code under test, and values need not be traced.
 */
import type { Address } from '../base/address.js';
import { PAGE_SIZE } from '../emulator/engine.js';
import type { MemoryRegion } from '../emulator/guest-memory.js';
import { Reg, type RegisterFile } from '../emulator/registers.js';

/** Bytes of the synthetic stack below and above SP at the call, to within a page. */
const STACK_BELOW = 2 << 20;
const STACK_ABOVE = 64 << 10;

/** Where the stack may lie. The first place that no piece of the program overlaps is taken. */
const STACK_PLACES: readonly Address[] = [0x5a00_0000_0000, 0x3a00_0000_0000, 0x1a00_0000_0000];

/** What a 64-bit value means to an unwinder. */
export const Tag = {
  OTHER: 0,
  /** The caller's frame pointer. */
  FP: 1,
  /** The return address as the caller passed it. */
  RA: 2,
  /** A signed return address. Further signatures, which differ in key or modifier, have higher numbers. */
  SIGNED: 3,
} as const;

/** The caller's frame pointer and the return address: outside every mapping, and unlikely as data. */
const CALLER_FP_LOW = 0x7ac3_51c0;
const CALLER_FP_HIGH = 0x0000_6b3d;
const RETURN_LOW = 0x51e9_c2a4;
const RETURN_HIGH = 0x0000_2d97;

/** Stack words that may hold a tagged value at one time. A frame has two. */
const MAX_SLOTS = 64;

/** Size of the region that {@link SyntheticFrame} needs, in bytes. */
export const STACK_SIZE = STACK_BELOW + STACK_ABOVE;

/** A place for the stack that overlaps none of the taken ranges, if there is one. */
export function stackPlace(taken: readonly { low: Address; high: Address }[]): Address {
  const free = STACK_PLACES.find((low) =>
    taken.every((range) => range.high <= low || range.low >= low + STACK_SIZE),
  );
  return free ?? (STACK_PLACES[0] as Address);
}

/** The synthetic stack, and the tagged values on it. */
export class SyntheticFrame {
  readonly low: Address;
  readonly high: Address;
  /** SP at the function's first instruction, which is the CFA. A multiple of 16. */
  readonly entrySp: Address;
  readonly words: Uint32Array;
  /** The `slotCount` stack words that hold a tagged value, in no particular order. */
  readonly slotAddress = new Float64Array(MAX_SLOTS);
  readonly slotTag = new Uint8Array(MAX_SLOTS);
  slotCount = 0;
  /** The range of the stack that was stored to since the call. */
  lowest: Address;
  highest: Address;
  private readonly signedLow: number[] = [];
  private readonly signedHigh: number[] = [];
  private readonly signedKeyB: boolean[] = [];
  private poison = 0;

  constructor(region: MemoryRegion) {
    this.low = region.low;
    this.high = region.high;
    this.words = region.words;
    this.entrySp = region.low + STACK_BELOW - PAGE_SIZE;
    this.lowest = this.highest = this.entrySp;
  }

  /** Set up the call of a function. @param seed for the values of unknown registers */
  enter(registers: RegisterFile, seed: number): void {
    this.poison = seed;
    this.signedLow.length = this.signedHigh.length = this.signedKeyB.length = 0;
    this.slotCount = 0;
    this.words.fill(0, this.indexOf(this.lowest), this.indexOf(this.highest) + 2);
    this.lowest = this.highest = this.entrySp;
    for (let i = 0; i < 29; i++) this.setPoison(registers, i);
    const { words } = registers;
    words[2 * Reg.X29] = CALLER_FP_LOW;
    words[2 * Reg.X29 + 1] = CALLER_FP_HIGH;
    words[2 * Reg.X30] = RETURN_LOW;
    words[2 * Reg.X30 + 1] = RETURN_HIGH;
    registers.set(Reg.SP, this.entrySp);
  }

  /**
   * Give a register an unknown value. It differs from the one given before. It is small and a multiple of
   * 16, so that an SP moved by it stays aligned and on the stack.
   */
  setPoison(registers: RegisterFile, register: number): void {
    if (register === 31) return;
    this.poison = (this.poison + 7) & 0xff;
    registers.words[2 * register] = 0x40 + 16 * this.poison;
    registers.words[2 * register + 1] = 0;
  }

  /** The {@link Tag} of a value. */
  tagOf(low: number, high: number): number {
    if (low === CALLER_FP_LOW && high === CALLER_FP_HIGH) return Tag.FP;
    if (low !== RETURN_LOW) return Tag.OTHER;
    if (high === RETURN_HIGH) return Tag.RA;
    for (let i = 0; i < this.signedLow.length; i++) {
      if (this.signedLow[i] === low && this.signedHigh[i] === high) return Tag.SIGNED + i;
    }
    return Tag.OTHER;
  }

  /** The tag of a register. */
  registerTag(registers: RegisterFile, index: number): number {
    const { words } = registers;
    return this.tagOf(words[2 * index] as number, words[2 * index + 1] as number);
  }

  /** Remember the result of signing, if it was the return address that was signed. */
  noteSigned(low: number, high: number, keyB: boolean): void {
    if (low !== RETURN_LOW || this.tagOf(low, high) !== Tag.OTHER) return;
    this.signedLow.push(low);
    this.signedHigh.push(high);
    this.signedKeyB.push(keyB);
  }

  /** Whether key B made the signature. @param tag SIGNED or above */
  isKeyB(tag: number): boolean {
    return this.signedKeyB[tag - Tag.SIGNED] === true;
  }

  /** Whether an access of `size` bytes lies on the stack. */
  holds(address: Address, size: number): boolean {
    return address >= this.low && address + size <= this.high;
  }

  /** Index in `words` of an address on the stack. */
  indexOf(address: Address): number {
    return (address - this.low) >>> 2;
  }

  /** The tag of the stack word at an address that is a multiple of 8. */
  wordTag(address: Address): number {
    const at = this.indexOf(address);
    return this.tagOf(this.words[at] as number, this.words[at + 1] as number);
  }

  /** Whether a store would overwrite a word that holds a tagged value. */
  hitsSlot(address: Address, size: number): boolean {
    for (let i = 0; i < this.slotCount; i++) {
      const slot = this.slotAddress[i] as number;
      if (slot + 8 > address && slot < address + size) return true;
    }
    return false;
  }

  /** Update the slots after a store. */
  noteStore(address: Address, size: number): void {
    if (address < this.lowest) this.lowest = address;
    if (address + size > this.highest) this.highest = Math.min(address + size, this.high - 8);
    for (let i = this.slotCount - 1; i >= 0; i--) {
      const slot = this.slotAddress[i] as number;
      if (slot + 8 > address && slot < address + size) this.dropSlot(i);
    }
    for (let at = Math.ceil(address / 8) * 8; at + 8 <= address + size; at += 8) {
      const tag = this.wordTag(at);
      if (tag === Tag.OTHER || this.slotCount === MAX_SLOTS) continue;
      this.slotAddress[this.slotCount] = at;
      this.slotTag[this.slotCount] = tag;
      this.slotCount++;
    }
  }

  /** SP has risen: drop what lies below it, because the next exception would overwrite it. */
  dropBelow(sp: Address): void {
    for (let i = this.slotCount - 1; i >= 0; i--) {
      const slot = this.slotAddress[i] as number;
      if (slot >= sp) continue;
      const at = this.indexOf(slot);
      this.words[at] = this.words[at + 1] = 0;
      this.dropSlot(i);
    }
  }

  private dropSlot(i: number): void {
    const last = --this.slotCount;
    this.slotAddress[i] = this.slotAddress[last] as number;
    this.slotTag[i] = this.slotTag[last] as number;
  }
}
