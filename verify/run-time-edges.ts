/**
 * Control flow that a running kernel adds to what the instructions show: static keys and alternatives,
 * which patch branches; exception table fixups; and BRKs that are warnings, after which execution goes
 * on. A kernel or module has tables of all of them (include/linux/jump_label.h,
 * arch/arm64/include/asm/{alternative,extable,bug}.h, v7.3-rc7).
 */
import type { Address } from '../base/address.js';
import { branchOffset, Flow, flowOf } from '../aarch64/control-flow.js';
import type { Piece, Program } from './program.js';

/** The control flow that the tables add. */
export interface RunTimeEdges {
  /** Further successors of the instruction at an address. */
  readonly successors: ReadonlyMap<Address, readonly Address[]>;
  /** Addresses of the BRKs after which execution goes on: warnings. */
  readonly warnings: ReadonlySet<Address>;
}

/** BUGFLAG_WARNING of struct bug_entry. */
const BUGFLAG_WARNING = 1;
/** ARM64_CB_BIT, the highest bit of alt_instr.cpucap: a function makes the replacement. */
const ALT_CALLBACK = 0x8000;

/** Read the tables of a program, which may have none of them. */
export function readRunTimeEdges(program: Program): RunTimeEdges {
  const successors = new Map<Address, Address[]>();
  const add = (from: Address, to: Address): void => {
    const known = successors.get(from);
    if (known === undefined) successors.set(from, [to]);
    else if (!known.includes(to)) known.push(to);
  };
  addStaticKeys(program, add);
  addFixups(program, add);
  addAlternatives(program, add);
  return { successors, warnings: readWarnings(program) };
}

type AddEdge = (from: Address, to: Address) => void;

/** struct jump_entry: s32 code, s32 target, long key. The word at `code` is B or NOP. */
function addStaticKeys(program: Program, add: AddEdge): void {
  const area = program.area('__jump_table', '__start___jump_table', '__stop___jump_table');
  eachEntry(area, 16, (view, at, address) => {
    const code = address + view.getInt32(at, true);
    add(code, address + 4 + view.getInt32(at + 4, true));
    add(code, code + 4);
  });
}

/** struct exception_table_entry: s32 insn, s32 fixup, s16 type, s16 data. */
function addFixups(program: Program, add: AddEdge): void {
  const area = program.area('__ex_table', '__start___ex_table', '__stop___ex_table');
  eachEntry(area, 12, (view, at, address) => {
    add(address + view.getInt32(at, true), address + 4 + view.getInt32(at + 4, true));
  });
}

/**
 * struct alt_instr: s32 orig_offset, s32 alt_offset, u16 cpucap, u8 orig_len, u8 alt_len. Only branches
 * matter here. Those of a replacement add successors. Where a replacement has no branch in place of the
 * original's, or a callback may have put a NOP, execution also goes on to the next instruction.
 */
function addAlternatives(program: Program, add: AddEdge): void {
  const area = program.area('.altinstructions', '__alt_instructions', '__alt_instructions_end');
  eachEntry(area, 12, (view, at, address) => {
    const original = address + view.getInt32(at, true);
    const replacement = address + 4 + view.getInt32(at + 4, true);
    const isCallback = (view.getUint16(at + 8, true) & ALT_CALLBACK) !== 0;
    const length = view.getUint8(at + 10);
    for (let i = 0; i < length; i += 4) {
      const word = wordAt(program, original + i);
      if (word === undefined) return;
      const other = isCallback ? undefined : wordAt(program, replacement + i);
      const flow = other === undefined ? Flow.NEXT : flowOf(other);
      if (other !== undefined && (flow === Flow.JUMP || flow === Flow.CONDITIONAL)) {
        add(original + i, replacement + i + branchOffset(other));
      }
      if (flowOf(word) === Flow.JUMP && flow !== Flow.JUMP) add(original + i, original + i + 4);
    }
  });
}

/** struct bug_entry: s32 address; s32 file and u16 line if configured; u16 flags. */
function readWarnings(program: Program): Set<Address> {
  const warnings = new Set<Address>();
  const area = program.area('__bug_table', '__start___bug_table', '__stop___bug_table');
  if (area === undefined) return warnings;
  const size = [12, 8].find((bytes) => allBreaks(program, area, bytes));
  if (size === undefined) return warnings;
  const flagsAt = size === 12 ? 10 : 4;
  eachEntry(area, size, (view, at, address) => {
    if ((view.getUint16(at + flagsAt, true) & BUGFLAG_WARNING) !== 0) {
      warnings.add(address + view.getInt32(at, true));
    }
  });
  return warnings;
}

/** Whether all entries name a BRK if they have this size, which depends on the configuration. */
function allBreaks(program: Program, area: Piece, size: number): boolean {
  if (area.data.length % size !== 0) return false;
  let all = true;
  eachEntry(area, size, (view, at, address) => {
    const word = wordAt(program, address + view.getInt32(at, true));
    all &&= word !== undefined && flowOf(word) === Flow.BREAK;
  });
  return all;
}

function eachEntry(
  area: Piece | undefined,
  size: number,
  visit: (view: DataView, at: number, address: Address) => void,
): void {
  if (area === undefined) return;
  const { data, address } = area;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  for (let at = 0; at + size <= data.length; at += size) visit(view, at, address + at);
}

/** The instruction word at an address, or undefined where nothing is loaded. */
export function wordAt(program: Program, address: Address): number | undefined {
  for (const { address: start, data } of program.pieces) {
    const at = address - start;
    if (at < 0 || at + 4 > data.length) continue;
    return (
      ((data[at] as number) |
        ((data[at + 1] as number) << 8) |
        ((data[at + 2] as number) << 16) |
        ((data[at + 3] as number) << 24)) >>>
      0
    );
  }
  return undefined;
}
