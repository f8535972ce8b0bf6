/**
 * Structure offsets read off the kernel's own code, for a build without BTF: which members of the task and of a
 * kretprobe's instance the functions that look return addresses up load, and what they compare them with. One pass
 * over each function in the order of its addresses, forward branches followed; the rest stays unknown.
 */
import type { Address } from '../emulator/address.js';
import type { ElfSymbol } from '../emulator/elf-types.js';
import type { MemberName, OffsetSource } from './structure-offsets.js';
import { WANTED_MEMBERS } from './structure-offsets.js';

/** A kernel's symbols and code. */
export interface KernelCode {
  readonly symbols: ReadonlyMap<string, ElfSymbol>;
  /** The instruction word at an address, 0 where there is none. */
  word(address: Address): number;
}

/** What a register holds: a known root and bytes from it. */
interface Value {
  /** `arg0`, `task`, `address`, or `*root+offset:size` for what was loaded from there. */
  readonly root: string;
  readonly offset: number;
}

/** A load from a known place. */
interface Load {
  readonly root: string;
  readonly offset: number;
  readonly size: number;
  readonly at: string;
}

/** What one pass has seen. */
interface Seen {
  readonly loads: readonly Load[];
  readonly compares: readonly (readonly [Value, Value])[];
  /** Bytes subtracted from a pointer, by its root. */
  readonly containers: ReadonlyMap<string, number>;
}

/** Longest function looked at, in bytes. */
const MAX_FUNCTION = 1 << 14;
const TRAMPOLINES = ['__kretprobe_trampoline', 'arch_rethook_trampoline'] as const;

/** The offsets that the code tells, each with the instruction that tells it. */
export function codeOffsets(code: KernelCode): OffsetSource {
  const found = new Map<string, { readonly value: number; readonly evidence: string }>();
  const set = (member: MemberName, value: number, evidence: string): void => {
    found.set(WANTED_MEMBERS[member].define, { value, evidence });
  };
  returnStack(code, set);
  kretprobes(code, set);
  instancePool(code, set);
  return {
    origin: 'code',
    offsetOf: ({ define }) => found.get(define)?.value,
    evidenceOf: ({ define }) => found.get(define)?.evidence,
  };
}

type Setter = (member: MemberName, value: number, evidence: string) => void;

/**
 * ftrace_graph_ret_addr(task, ...) loads two members of the task: curr_ret_stack, an int, and ret_stack, a pointer.
 * ftrace_return_to_handler() begins with the same two of the current task. Both must agree.
 */
function returnStack(code: KernelCode, set: Setter): void {
  const lookup = scan(code, 'ftrace_graph_ret_addr');
  const handler = scan(code, 'ftrace_return_to_handler');
  for (const [member, size] of [
    ['taskCurrRetStack', 4],
    ['taskRetStack', 8],
  ] as const) {
    const first = lookup?.loads.find((load) => load.root === 'arg0' && load.size === size);
    const second = handler?.loads.find((load) => load.root === 'task' && load.size === size);
    if (first === undefined || second?.offset !== first.offset) continue;
    set(member, first.offset, `loads at ${first.at} and ${second.at}`);
  }
}

/**
 * kretprobe_find_ret_addr(task, fp, ...) follows the task's list: of each instance it compares ret_addr with the
 * trampoline, and fp with its argument. The list links a member of the instance, whose distance from the
 * start shows where a pointer to the start is made.
 */
function kretprobes(code: KernelCode, set: Setter): void {
  const seen = scan(code, 'kretprobe_find_ret_addr');
  const trampolines = TRAMPOLINES.map((name) => code.symbols.get(name)?.address);
  if (seen === undefined) return;
  const list = seen.loads.find(({ root, size }) => root === 'arg0' && size === 8);
  if (list === undefined) return;
  const node = loaded(list);
  const member = (isOther: (value: Value) => boolean): Load | undefined => {
    for (const [a, b] of seen.compares) {
      for (const [value, other] of [
        [a, b],
        [b, a],
      ] as const) {
        const load = seen.loads.find((one) => one.root === node && loaded(one) === value.root);
        if (load !== undefined && value.offset === 0 && isOther(other)) return load;
      }
    }
    return undefined;
  };
  const ret = member(({ root, offset }) => root === 'address' && trampolines.includes(offset));
  const fp = member(({ root, offset }) => root === 'arg1' && offset === 0);
  if (ret === undefined || fp === undefined) return;
  const container = seen.containers.get(node) ?? 0;
  set('taskKretprobes', list.offset, `load at ${list.at}`);
  set('kretprobeNext', container, `its list member, at ${list.at}`);
  set('kretprobeRetAddr', container + ret.offset, `compared with the trampoline: ${ret.at}`);
  set('kretprobeFp', container + fp.offset, `compared with the frame pointer: ${fp.at}`);
}

/** struct kretprobe_holder {rp, pool}: the pool follows a pointer. */
const HOLDER_POOL = 8;

/**
 * pre_handler_kretprobe(kprobe, ...) loads one pointer from its kretprobe, the holder, and from the pool in that a pointer,
 * the slots of the CPUs, and an int, the number of objects.
 */
function instancePool(code: KernelCode, set: Setter): void {
  const seen = scan(code, 'pre_handler_kretprobe');
  const holder = seen?.loads.find(({ root, size }) => root === 'arg0' && size === 8);
  if (seen === undefined || holder === undefined) return;
  const pool = seen.loads.filter(({ root }) => root === loaded(holder));
  const slots = pool.find(({ size }) => size === 8);
  const objects = pool.find(({ size }) => size === 4);
  if (slots === undefined || objects === undefined) return;
  set('kretprobeHolder', holder.offset, `load at ${holder.at}`);
  set('poolSlots', slots.offset - HOLDER_POOL, `load at ${slots.at}`);
  set('poolObjects', objects.offset - HOLDER_POOL, `load at ${objects.at}`);
}

type Registers = (Value | undefined)[];

/** What two ways to the same instruction agree on. */
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

/** B, BR, RET, RETAA: what follows is reached from elsewhere, if at all. */
function endsFlow(word: number): boolean {
  return word >>> 26 === 0x05 || is(word, 0xff9f0000, 0xd61f0000);
}

/** The root of what a load yields. */
function loaded({ root, offset, size }: Omit<Load, 'at'>): string {
  return `*${root}+${offset}:${size}`;
}

/** Follow a function's registers; undefined when the kernel lacks it. */
function scan(code: KernelCode, name: string): Seen | undefined {
  const symbol = code.symbols.get(name);
  if (symbol === undefined || symbol.size === 0) return undefined;
  let registers: Registers = [];
  const states = new Map<Address, Registers>();
  let reached = true;
  for (let i = 0; i < 8; i++) registers[i] = { root: `arg${i}`, offset: 0 };
  const loads: Load[] = [];
  const compares: [Value, Value][] = [];
  const containers = new Map<string, number>();
  for (let offset = 0; offset < Math.min(symbol.size, MAX_FUNCTION); offset += 4) {
    const pc = symbol.address + offset;
    const word = code.word(pc) >>> 0;
    const state = states.get(pc);
    if (state !== undefined) {
      registers = reached ? common(registers, state) : state;
      reached = true;
    }
    // Reached from behind only, as the next step of a loop is: nothing is known, and nothing is spoilt.
    if (!reached) continue;
    const target = branchTarget(pc, word);
    if (target !== undefined) {
      const other = states.get(target);
      states.set(target, other === undefined ? [...registers] : common(registers, other));
    }
    const d = word & 31;
    const n = registers[(word >>> 5) & 31];
    const m = registers[(word >>> 16) & 31];
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
      registers[d] = n && { root: n.root, offset: n.offset + (subtracted ? -by : by) };
    } else if (is(word, 0xbfc00000, 0xb9400000)) {
      // LDR (immediate, unsigned offset), 32 or 64 bits: the offset counts words of that size.
      const size = (word & 0x40000000) !== 0 ? 8 : 4;
      registers[d] = undefined;
      if (n === undefined) continue;
      const at = `${name}+0x${offset.toString(16)}`;
      const load = { root: n.root, offset: n.offset + size * ((word >>> 10) & 0xfff), size, at };
      loads.push(load);
      // The link to the next node of a list is another node.
      const isLink = load.offset === 0 && load.root.startsWith('*') && ((word >>> 5) & 31) === d;
      registers[d] = isLink ? n : { root: loaded(load), offset: 0 };
    } else if (word >>> 26 === 0x25 || is(word, 0xfffffc1f, 0xd63f0000)) {
      // BL and BLR: x0 to x18 are the callee's.
      registers.fill(undefined, 0, 19);
    } else if (endsFlow(word)) reached = false;
    else if (writesRegister(word)) registers[d] = undefined;
  }
  return { loads, compares, containers };
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
 * Whether an instruction that is none of the above may write the register in its bits 4:0: not a branch,
 * nor a system instruction, nor a store, nor a conditional compare, which has flags there. Of a pair of loads the second register is written too, which is never one
 * that is followed.
 */
function writesRegister(word: number): boolean {
  const group = (word >>> 25) & 0xf;
  if ((group & 0xe) === 0xa) return is(word, 0xfff00000, 0xd5300000);
  if ((group & 0x5) === 0x4) return (word & 0x00400000) !== 0;
  return !is(word, 0x1fe00000, 0x1a400000);
}
