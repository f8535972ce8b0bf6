/** A pending path: the whole state at the instruction where it goes on. */
import type { Address } from '../base/address.js';
import { Reg, type RegisterFile } from '../emulator/registers.js';
import { type SyntheticFrame, Tag } from './synthetic-frame.js';

/** A copy of registers and stack. */
export interface PathState {
  readonly pc: Address;
  readonly registers: Uint32Array;
  readonly stackLow: Address;
  readonly stack: Uint32Array;
  readonly slotAddress: Float64Array;
  readonly slotTag: Uint8Array;
  /** `bounds` of a JumpTableReader. */
  readonly bounds: Int32Array;
}

/** Words of the register file that a path needs: X0..X30, SP, PC, PSTATE. */
const SAVED_WORDS = 2 * (Reg.PSTATE + 1);

/** Copy the current state, so that it can go on at `pc` later. */
export function savePath(
  pc: Address,
  registers: RegisterFile,
  frame: SyntheticFrame,
  bounds: Int32Array,
): PathState {
  const low = Math.max(frame.low, Math.floor(frame.lowest / 8) * 8);
  return {
    pc,
    registers: registers.words.slice(0, SAVED_WORDS),
    stackLow: low,
    stack: frame.words.slice(frame.indexOf(low), frame.indexOf(frame.highest) + 2),
    slotAddress: frame.slotAddress.slice(0, frame.slotCount),
    slotTag: frame.slotTag.slice(0, frame.slotCount),
    bounds: bounds.slice(),
  };
}

/** Make a saved state the current one. */
export function restorePath(
  path: PathState,
  registers: RegisterFile,
  frame: SyntheticFrame,
  bounds: Int32Array,
): void {
  registers.words.set(path.registers);
  if (frame.lowest < path.stackLow) {
    frame.words.fill(0, frame.indexOf(frame.lowest), frame.indexOf(path.stackLow));
  }
  frame.words.set(path.stack, frame.indexOf(path.stackLow));
  frame.lowest = Math.max(frame.low, path.stackLow);
  frame.slotAddress.set(path.slotAddress);
  frame.slotTag.set(path.slotTag);
  frame.slotCount = path.slotTag.length;
  bounds.set(path.bounds);
}

/**
 * A hash of what an unwinder depends on, now or later: `pc`, SP and FP relative to the stack, and which
 * registers and stack words hold the return address or the caller's frame pointer. States with equal
 * keys are taken to be equal.
 * @returns a 53-bit integer
 */
export function unwindKey(pc: Address, registers: RegisterFile, frame: SyntheticFrame): number {
  const { words } = registers;
  let a = mix(0x9e3779b9, pc >>> 0);
  let b = mix(0x85ebca6b, pc >>> 0);
  const sp = registers.get(Reg.SP);
  const spPart = frame.holds(sp, 0) ? (sp - frame.low) >>> 0 : 0xffffffff;
  a = mix(a, spPart);
  b = mix(b, spPart ^ 0x55555555);
  const fp = registers.get(Reg.X29);
  const fpPart = frame.holds(fp, 0) ? (fp - frame.low) >>> 0 : 0xffffffff;
  a = mix(a, fpPart);
  b = mix(b, fpPart ^ 0x33333333);
  for (let i = 0; i <= 30; i++) {
    const tag = frame.tagOf(words[2 * i] as number, words[2 * i + 1] as number);
    if (tag === Tag.OTHER) continue;
    a = mix(a, (i << 8) | tag);
    b = mix(b, (i << 16) | tag);
  }
  let sumA = 0;
  let sumB = 0;
  for (let i = 0; i < frame.slotCount; i++) {
    const at = ((frame.slotAddress[i] as number) - frame.low) >>> 0;
    const tag = frame.slotTag[i] as number;
    sumA = (sumA + mix(mix(0x27d4eb2f, at), tag)) | 0;
    sumB = (sumB + mix(mix(0x165667b1, at), tag)) | 0;
  }
  a = mix(a, sumA);
  b = mix(b, sumB);
  return (a >>> 0) * 0x200000 + (b >>> 11);
}

function mix(hash: number, part: number): number {
  let h = Math.imul(hash ^ part, 0xcc9e2d51);
  h ^= h >>> 15;
  h = Math.imul(h, 0x1b873593);
  return h ^ (h >>> 13);
}
