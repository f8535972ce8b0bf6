/**
 * What one function of a kernel does with its arguments: which members it loads, stores, compares
 * and calls. Its registers are followed in the order of the addresses, and along forward branches.
 * Where two paths meet, a register on which they disagree becomes unknown. Code that only a
 * backward branch reaches is followed after that, with the registers of the first such branch.
 */
import type { Address } from '../../base/address.js';
import type { ElfSymbol } from '../../elf/symbols.js';

/** A kernel's symbols and code. */
export interface KernelCode {
  readonly symbols: ReadonlyMap<string, ElfSymbol>;
  /** The instruction word at an address; 0 where there is none. */
  word(address: Address): number;
}

/** What a register holds: a known root plus an offset in bytes. */
export interface Value {
  /**
   * - `arg0`, `task`, `address`;
   * - `*root+offset:size`: what was loaded from there;
   * - `element ADDRESS`: a word of a table;
   * - `result ADDRESS`: what a function returned.
   */
  readonly root: string;
  readonly offset: number;
}

/** A load from a known place. */
export interface Load {
  readonly root: string;
  readonly offset: number;
  readonly size: number;
  readonly at: string;
}

/** A store of a known value to a known place. */
export interface Store extends Load {
  readonly value: Value;
}

/** What one function was seen to do. */
export interface Seen {
  readonly loads: readonly Load[];
  readonly stores: readonly Store[];
  readonly compares: readonly (readonly [Value, Value])[];
  /** Bytes that are subtracted from a pointer, by its root. */
  readonly containers: ReadonlyMap<string, number>;
  /** The targets of its BLR instructions. */
  readonly calls: readonly Value[];
}

/** The longest function that is scanned, in bytes. */
const MAX_FUNCTION = 1 << 14;

/** The root of a word of a table. */
export function elementOf(table: Address): string {
  return `element ${table}`;
}

/** The root of what a function returns. */
export function resultOf(callee: Address): string {
  return `result ${callee}`;
}

/** x0 to x30; from {@link SPILLED} on, the doublewords from SP up. */
type Registers = (Value | undefined)[];

const SP = 31;
const SPILLED = 32;

/** The registers on which two paths to the same instruction agree. */
function common(a: Registers, b: Registers): Registers {
  return a.map((value, i) =>
    value?.root === b[i]?.root && value?.offset === b[i]?.offset ? value : undefined,
  );
}

/** Where B, B.cond, CBZ, CBNZ, TBZ or TBNZ go (Arm ARM C4.1.66). */
function branchTarget(pc: Address, word: number): Address | undefined {
  if (word >>> 26 === 0x05) return pc + 4 * ((word << 6) >> 6);
  if (is(word, 0xff000000, 0x54000000) || is(word, 0x7e000000, 0x34000000)) {
    return pc + 4 * ((word << 8) >> 13);
  }
  return is(word, 0x7e000000, 0x36000000) ? pc + 4 * ((word << 13) >> 18) : undefined;
}

/** B, BR, RET, RETAA: the next instruction is reached from elsewhere, if at all. Not BLR. */
function endsFlow(word: number): boolean {
  return word >>> 26 === 0x05 || is(word, 0xffbf0000, 0xd61f0000);
}

/** The root of what a load yields. */
export function loaded({ root, offset, size }: Omit<Load, 'at'>): string {
  return `*${root}+${offset}:${size}`;
}

/** Follow a function's registers. Undefined when the kernel lacks the function. */
export function scan(code: KernelCode, name: string): Seen | undefined {
  const symbol = code.symbols.get(name);
  if (symbol === undefined || symbol.size === 0) return undefined;
  const registers: Registers = [];
  for (let i = 0; i < 8; i++) registers[i] = { root: `arg${i}`, offset: 0 };
  const pass = new Pass(code, name, symbol.address, Math.min(symbol.size, MAX_FUNCTION));
  pass.follow(symbol.address, registers);
  return pass.seen;
}

class Pass {
  readonly seen = {
    loads: [] as Load[],
    stores: [] as Store[],
    compares: [] as [Value, Value][],
    calls: [] as Value[],
    containers: new Map<string, number>(),
  };
  private readonly states = new Map<Address, Registers>();
  private readonly followed = new Set<Address>();
  private readonly end: Address;

  constructor(
    private readonly code: KernelCode,
    private readonly name: string,
    private readonly start: Address,
    size: number,
  ) {
    this.end = start + size;
  }

  /** Follow the code from an instruction on, then what backward branches reach. */
  follow(from: Address, registers: Registers): void {
    this.run(from, registers);
    for (;;) {
      const next = [...this.states].find(([pc]) => this.isOpen(pc));
      if (next === undefined) return;
      this.run(next[0], [...next[1]]);
    }
  }

  private isOpen(pc: Address): boolean {
    return pc >= this.start && pc < this.end && !this.followed.has(pc);
  }

  /**
   * Run to the end of the function, to the end of the flow, or into code that was already followed.
   */
  private run(from: Address, first: Registers): void {
    let registers = first;
    let reached = true;
    for (let pc = from; pc < this.end; pc += 4) {
      if (this.followed.has(pc)) reached = false;
      const state = this.states.get(pc);
      if (state !== undefined && !this.followed.has(pc)) {
        registers = reached ? common(registers, state) : [...state];
        reached = true;
      }
      // Only later code leads here, as in a loop. Nothing is known yet, so nothing is lost.
      if (!reached) continue;
      this.followed.add(pc);
      const word = this.code.word(pc) >>> 0;
      const target = branchTarget(pc, word);
      if (target !== undefined) {
        const other = this.states.get(target);
        this.states.set(target, other === undefined ? [...registers] : common(registers, other));
      }
      if (endsFlow(word)) reached = false;
      else this.step(pc, word, registers);
      // Number 31 is SP or XZR, neither of which is followed.
      registers[SP] = undefined;
    }
  }

  /** Apply one instruction to the registers, and note what it loads, stores, compares or calls. */
  private step(pc: Address, word: number, registers: Registers): void {
    const { loads, stores, compares, calls, containers } = this.seen;
    const d = word & 31;
    const n = registers[(word >>> 5) & 31];
    const m = registers[(word >>> 16) & 31];
    const at = `${this.name}+0x${(pc - this.start).toString(16)}`;
    if (is(word, 0xffffffe0, 0xd5384100)) registers[d] = { root: 'task', offset: 0 };
    else if (is(word, 0xffe0ffe0, 0xaa0003e0)) registers[d] = m;
    else if (is(word, 0xffe0fc1f, 0xeb00001f)) {
      if (n !== undefined && m !== undefined) compares.push([n, m]);
    } else if (is(word, 0x9f000000, 0x90000000)) {
      registers[d] = { root: 'address', offset: page(pc, word) };
    } else if (is(word, 0xff800000, 0x91000000) || is(word, 0xff800000, 0xd1000000)) {
      const by = immediate(word);
      const subtracted = (word & 0x40000000) !== 0;
      if (n !== undefined && subtracted) containers.set(n.root, by);
      if (d === SP) forgetSpills(registers);
      registers[d] = n && { root: n.root, offset: n.offset + (subtracted ? -by : by) };
    } else if (isLoad(word)) {
      const size = (word & 0x40000000) !== 0 ? 8 : 4;
      const { displacement, writesBack, after } = addressing(word, size);
      const base = (word >>> 5) & 31;
      registers[d] = undefined;
      if (base === SP) {
        if (writesBack) forgetSpills(registers);
        else if (size === 8) registers[d] = registers[SPILLED + displacement / 8];
      }
      if (n === undefined) return;
      const moved = { root: n.root, offset: n.offset + displacement };
      if (writesBack) registers[base] = moved;
      const load = { ...(after ? n : moved), size, at };
      loads.push(load);
      // The link to the next node of a list leads to a node like this one.
      const isLink = size === 8 && load.offset === 0 && load.root.startsWith('*') && base === d;
      registers[d] = isLink ? n : { root: loaded(load), offset: 0 };
    } else if (is(word, 0xbfc00000, 0xb9000000)) {
      // STR (immediate, unsigned offset), 32 or 64 bits.
      const size = (word & 0x40000000) !== 0 ? 8 : 4;
      const value = d === 31 ? undefined : registers[d];
      const displacement = size * ((word >>> 10) & 0xfff);
      if (((word >>> 5) & 31) === SP) {
        registers[SPILLED + (displacement >> 3)] = size === 8 ? value : undefined;
      }
      if (n === undefined || value === undefined) return;
      stores.push({ root: n.root, offset: n.offset + displacement, size, at, value });
    } else if (isSpillOfTwo(word)) {
      const slot = SPILLED + pairOffset(word);
      const second = (word >>> 10) & 31;
      if ((word & 0x00400000) !== 0) {
        registers[d] = registers[slot];
        registers[second] = registers[slot + 1];
      } else {
        registers[slot] = registers[d];
        registers[slot + 1] = registers[second];
      }
    } else if (is(word, 0xffe00c00, 0xf8600800)) {
      // LDR (register), 64 bits.
      const isTable = n?.root === 'address';
      registers[d] = isTable ? { root: elementOf(n.offset), offset: 0 } : undefined;
    } else if (word >>> 26 === 0x25 || is(word, 0xfffffc1f, 0xd63f0000)) {
      // BL and BLR: the callee may change x0 to x18.
      const callee = word >>> 26 === 0x25 ? pc + 4 * ((word << 6) >> 6) : NaN;
      if (Number.isNaN(callee) && n !== undefined) calls.push(n);
      registers.fill(undefined, 0, 19);
      registers[0] = { root: resultOf(callee), offset: 0 };
    } else {
      if (writesRegister(word)) registers[d] = undefined;
      if (movesBase(word)) {
        registers[(word >>> 5) & 31] = undefined;
        if (((word >>> 5) & 31) === SP) forgetSpills(registers);
      }
      // The second register of a pair of loads.
      if (is(word, 0x3a400000, 0x28400000)) registers[(word >>> 10) & 31] = undefined;
    }
  }
}

/** LDR (immediate) or LDUR of 32 or 64 bits (Arm ARM C4.1.97). */
function isLoad(word: number): boolean {
  const isUnscaled = is(word, 0xbfe00000, 0xb8400000) && (word & 0xc00) !== 0x800;
  return is(word, 0xbfc00000, 0xb9400000) || isUnscaled;
}

/**
 * The addressing mode of such a load: what it adds to its base register, in bytes; whether it
 * writes the sum back; whether it adds only after the load.
 */
function addressing(word: number, size: number) {
  // The unsigned offset counts words of that size.
  if ((word & 0x1000000) !== 0) {
    return { displacement: size * ((word >>> 10) & 0xfff), writesBack: false, after: false };
  }
  const displacement = (word << 11) >> 23;
  const after = (word & 0xc00) === 0x400;
  return { displacement, writesBack: (word & 0x400) !== 0, after };
}

/** STP or LDP of 64 bits at SP or above, without write-back (Arm ARM C4.1.94). */
function isSpillOfTwo(word: number): boolean {
  return is(word, 0xff8003e0, 0xa90003e0) && pairOffset(word) >= 0;
}

/** The offset of a load or store of two doublewords, in doublewords. */
function pairOffset(word: number): number {
  return (word << 10) >> 25;
}

/** SP moves, so what was spilled is now at other offsets. */
function forgetSpills(registers: Registers): void {
  registers.length = SPILLED;
}

/** Whether a load or store, of one register or of two, changes its base register. */
function movesBase(word: number): boolean {
  return is(word, 0x3b200400, 0x38000400) || is(word, 0x3a800000, 0x28800000);
}

function is(word: number, mask: number, bits: number): boolean {
  return (word & mask) >>> 0 === bits >>> 0;
}

/** The page that ADRP forms (Arm ARM C6.2.13). */
function page(pc: Address, word: number): Address {
  const pages = ((((word >>> 5) & 0x7ffff) << 13) | (((word >>> 29) & 3) << 11)) >> 11;
  return Math.floor(pc / 4096) * 4096 + 4096 * pages;
}

/** The immediate of ADD or SUB, with its shift by 12. */
function immediate(word: number): number {
  const value = (word >>> 10) & 0xfff;
  return (word & 0x400000) !== 0 ? value * 4096 : value;
}

/**
 * Whether an instruction that is none of the above may write the register in its bits 4:0.
 * Branches, system instructions, stores and conditional compares, which have flags there, do not.
 */
function writesRegister(word: number): boolean {
  const group = (word >>> 25) & 0xf;
  if ((group & 0xe) === 0xa) return is(word, 0xfff00000, 0xd5300000);
  if ((group & 0x5) === 0x4) return (word & 0x00400000) !== 0;
  return !is(word, 0x1fe00000, 0x1a400000);
}
