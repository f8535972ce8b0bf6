/**
 * The functions of a program's SFrame tables, in address order, and which of them belong together.
 * Code that a compiler moved out of a function (`.cold`) runs with that function's frame. So does a
 * function that is never branched to, but only run into from the one before it.
 */
import { nameBefore } from '../elf/symbol-names.js';
import { NOP } from '../aarch64/encodings.js';
import { type Address, formatAddress } from '../base/address.js';
import { firstBetween, lastAtOrBelow } from '../base/sorted.js';
import { INFO_PCTYPE_MASK } from '../unwinder/sframe/format.js';
import type { DwarfFunction } from '../unwinder/dwarf/rows.js';
import type { SFrameSection } from '../unwinder/sframe/section.js';
import { branchOffset, Flow, flowOf } from '../aarch64/control-flow.js';
import { bytesAt, type Program } from './program.js';
import { wordAt } from './run-time-edges.js';

/** One function descriptor entry. */
export interface FunctionEntry {
  /** Index in {@link FunctionList.all}. */
  readonly index: number;
  readonly table: SFrameSection;
  /** The same function in DWARF, if the file describes it. */
  readonly dwarf: DwarfFunction | undefined;
  /** Index in {@link table}. */
  readonly fde: number;
  readonly start: Address;
  /** Bytes. */
  readonly size: number;
  readonly name: string;
  /** The symbol that names it, which may begin inside it; '' without one. */
  readonly symbol: string;
  /** Part of another function: control comes to it by a jump or by running on, with that one's frame. */
  readonly part: boolean;
  /** A {@link part} that control runs into from the function before it. */
  readonly continued: boolean;
  /** Bytes of the repeated block of a MASK entry (spec section 2.3.3.1), else 0. */
  readonly repeat: number;
}

/** All functions of a program. */
export class FunctionList {
  readonly all: readonly FunctionEntry[];
  private readonly starts: Float64Array;
  private readonly reach: Float64Array;
  private callers: ReadonlyMap<Address, Address> | undefined;

  /** @param noreturn start addresses of functions that do not return */
  constructor(
    readonly program: Program,
    noreturn: ReadonlySet<Address> = new Set(),
  ) {
    this.all = markContinued(program, listFunctions(program), noreturn);
    this.starts = Float64Array.from(this.all, ({ start }) => start);
    let reach = -Infinity;
    this.reach = Float64Array.from(this.all, ({ start, size }) => {
      reach = Math.max(reach, start + size);
      return reach;
    });
  }

  /** The function that covers an address. Where functions overlap, the one that starts last. */
  at(address: Address): FunctionEntry | undefined {
    for (
      let i = lastAtOrBelow(this.starts, address);
      i >= 0 && (this.reach[i] as number) > address;
      i--
    ) {
      const entry = this.all[i] as FunctionEntry;
      if (address < entry.start + entry.size) return entry;
    }
    return undefined;
  }

  /** A function, earlier in the list, that reaches past the start of this one. */
  reachingInto({ index, start }: FunctionEntry): FunctionEntry | undefined {
    for (let i = index - 1; i >= 0 && (this.reach[i] as number) > start; i--) {
      const other = this.all[i] as FunctionEntry;
      if (other.start + other.size > start) return other;
    }
    return undefined;
  }

  /** Address of the first BL to an address. */
  callerOf(address: Address): Address | undefined {
    this.callers ??= findCallers(this.program);
    return this.callers.get(address);
  }

  /** Whether `later` is code of the same symbol as `address` that no table describes. */
  sameFunction(address: Address, later: Address): boolean {
    const { symbols } = this.program;
    const symbol = symbols.at(address)?.symbol;
    if (symbol === undefined || symbols.at(later)?.symbol !== symbol) return false;
    const word = wordAt(this.program, later);
    return word !== undefined && word !== NOP && word !== 0 && this.at(later) === undefined;
  }

  /** Whether a function begins at an address that no table describes: also outside the file's code. */
  beginsFunction(address: Address): boolean {
    const { code, symbols, stubs } = this.program;
    if (stubs.has(address) || !code.some(({ low, high }) => address >= low && address < high)) {
      return true;
    }
    const place = symbols.at(address);
    return place?.offset === 0 && place.symbol.kind === 'function';
  }

  /**
   * Functions that have to be executed together, because one jumps into the middle of another or is
   * continued in it. Groups and their functions are in address order.
   */
  groups(): FunctionEntry[][] {
    const leader = Int32Array.from(this.all, ({ index }) => index);
    const find = (i: number): number => {
      while (leader[i] !== i) i = leader[i] = leader[leader[i] as number] as number;
      return i;
    };
    const join = (i: number, j: number): void => {
      const [a, b] = [find(i), find(j)];
      leader[Math.max(a, b)] = Math.min(a, b);
    };
    for (const entry of this.all) {
      if (entry.continued) join(entry.index - 1, entry.index);
      for (const target of jumpTargets(this.program, entry)) {
        const other = this.at(target);
        if (other === undefined || other === entry) continue;
        if (target !== other.start || other.part) join(entry.index, other.index);
      }
    }
    const groups = new Map<number, FunctionEntry[]>();
    for (const entry of this.all) {
      const root = find(entry.index);
      const group = groups.get(root);
      if (group === undefined) groups.set(root, [entry]);
      else group.push(entry);
    }
    return [...groups.values()];
  }
}

/** The targets of a function's direct branches that lie outside it. */
function* jumpTargets(program: Program, { start, size }: FunctionEntry): Generator<Address> {
  for (let pc = start; pc + 4 <= start + size; pc += 4) {
    const word = wordAt(program, pc);
    if (word === undefined) return;
    const flow = flowOf(word);
    if (flow !== Flow.JUMP && flow !== Flow.CONDITIONAL) continue;
    const target = pc + branchOffset(word);
    if (target < start || target >= start + size) yield target;
  }
}

/** For each target of a BL, the address of the first such BL. */
function findCallers({ code, pieces }: Program): ReadonlyMap<Address, Address> {
  const callers = new Map<Address, Address>();
  for (const { low, high } of code) {
    const bytes = bytesAt(pieces, low, high - low);
    if (bytes === undefined) continue;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at + 4 <= bytes.length; at += 4) {
      const word = view.getUint32(at, true);
      if (flowOf(word) !== Flow.CALL) continue;
      const target = low + at + branchOffset(word);
      // BL to the next instruction reads the PC.
      if (target !== low + at + 4 && !callers.has(target)) callers.set(target, low + at);
    }
  }
  return callers;
}

function listFunctions(program: Program): FunctionEntry[] {
  const entries: Omit<FunctionEntry, 'index'>[] = [];
  const named = program.functions.length > 0;
  const starts = Float64Array.from(program.functions, ({ address }) => address);
  const nameAt = (start: Address, size: number): Pick<FunctionEntry, 'name' | 'symbol'> => {
    const symbol = program.symbols.at(start)?.symbol.name ?? '';
    if (symbol !== '') return { name: symbol, symbol };
    // The padding in front of a function belongs to its FDE where CFI begins before the label.
    const next = program.functions[firstBetween(starts, start, start + size)];
    if (next === undefined) return { name: formatAddress(start), symbol };
    return { name: nameBefore(next.name, next.address - start), symbol: next.name };
  };
  for (const table of program.tables) {
    const { functions } = table;
    for (let fde = 0; fde < functions.count; fde++) {
      const start = functions.start[fde] as number;
      const size = functions.size[fde] as number;
      const { name, symbol } = nameAt(start, size);
      const isMask = ((functions.info[fde] as number) & INFO_PCTYPE_MASK) !== 0;
      entries.push({
        table,
        dwarf: program.dwarf.get(start),
        fde,
        start,
        size,
        name,
        symbol,
        continued: false,
        part: named && symbol !== '' ? /\.cold(\.\d+)?$/.test(symbol) : !startsLikeCall(table, fde),
        repeat: isMask ? (functions.repSize[fde] as number) : 0,
      });
    }
  }
  entries.sort((a, b) => a.start - b.start);
  return entries.map((entry, index) => ({ ...entry, index }));
}

/** Whether the first row describes the state right after a call: CFA = SP, nothing saved. */
function startsLikeCall({ functions, rows, rules }: SFrameSection, fde: number): boolean {
  if (functions.rowCount[fde] === 0) return true;
  const rule = rows.rule[functions.firstRow[fde] as number] as number;
  return (
    rules.cfaBase[rule] !== 1 &&
    rules.cfaOffset[rule] === 0 &&
    rules.raKind[rule] !== 1 &&
    rules.fpKind[rule] !== 1
  );
}

/**
 * Find the entries that only continue the function before: the first row says that there is a frame
 * already, nothing branches to the start, and the function before ends right there with an instruction
 * after which control goes on. That instruction may be a call, which returns here.
 */
function markContinued(
  program: Program,
  all: readonly FunctionEntry[],
  noreturn: ReadonlySet<Address>,
): readonly FunctionEntry[] {
  const candidates = new Set<Address>();
  for (const { table, fde, start, size, part, index } of all) {
    const before = all[index - 1];
    if (part || size === 0 || startsLikeCall(table, fde) || before === undefined) continue;
    if (before.start + before.size === start && runsOn(program, start - 4, noreturn)) {
      candidates.add(start);
    }
  }
  if (candidates.size === 0) return all;
  for (const { low, high } of program.code) {
    for (let pc = low; pc + 4 <= high; pc += 4) {
      const word = wordAt(program, pc);
      if (word === undefined) break;
      const flow = flowOf(word);
      if (flow === Flow.CALL || flow === Flow.JUMP || flow === Flow.CONDITIONAL) {
        candidates.delete(pc + branchOffset(word));
      }
    }
  }
  return all.map((entry) =>
    candidates.has(entry.start) ? { ...entry, part: true, continued: true } : entry,
  );
}

/** Whether control can go on to the instruction after the one at `pc`. */
function runsOn(program: Program, pc: Address, noreturn: ReadonlySet<Address>): boolean {
  const word = wordAt(program, pc);
  if (word === undefined) return false;
  switch (flowOf(word)) {
    case Flow.NEXT:
    case Flow.CONDITIONAL:
    case Flow.CALL_REGISTER:
      return true;
    case Flow.CALL:
      return !noreturn.has(pc + branchOffset(word));
    default:
      return false;
  }
}
