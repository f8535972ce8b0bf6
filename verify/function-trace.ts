/** What the execution of one function has shown. */
import type { Address } from '../base/address.js';
import { type DwarfRules, dwarfRules } from './dwarf-rules.js';
import type { FunctionEntry } from './function-list.js';
import { Wrong } from './row-judge.js';

/** A way to be wrong, by its name in reports. */
export type WrongKind =
  | 'cfa'
  | 'ra'
  | 'fp'
  | 'not-mangled'
  | 'mangled'
  | 'pauth-key'
  | 'no-row'
  | 'tail-call'
  | 'return'
  | 'outermost-returns'
  | 'sp-alignment'
  | 'dwarf';

/** The first place at which a row, or an instruction, is wrong in one way. */
export interface Observation {
  readonly kind: WrongKind;
  /** Row within the function, or -1. */
  readonly row: number;
  readonly pc: Address;
  /** Where CFA, RA and FP really are there. */
  readonly truth: string;
}

/** What is worth knowing although no row is wrong, by its name in reports. */
export type NoteKind = 'after-noreturn-call' | 'step-limit' | 'sp-lost' | 'unknown-instruction';

/** A remark on one instruction. */
export interface Remark {
  readonly kind: NoteKind;
  readonly pc: Address;
  /** One sentence. */
  readonly detail: string;
  /** Of an unknown instruction. */
  readonly word?: number;
}

const KIND_OF: readonly (WrongKind | undefined)[] = (() => {
  const kinds: (WrongKind | undefined)[] = [];
  kinds[Wrong.CFA] = 'cfa';
  kinds[Wrong.RA] = 'ra';
  kinds[Wrong.FP] = 'fp';
  kinds[Wrong.NOT_MANGLED] = 'not-mangled';
  kinds[Wrong.MANGLED] = 'mangled';
  kinds[Wrong.KEY] = 'pauth-key';
  return kinds;
})();

/** The trace of one function. Its arrays have an element per instruction, or per row. */
export class FunctionTrace {
  /** 1 for each instruction that a path has reached. */
  readonly reached: Uint8Array;
  /** 1 for each instruction that a branch goes to: paths can meet there. */
  readonly leaders: Uint8Array;
  /** The row in force at each instruction: its index in the function, -1 for none, -2 for outermost. */
  readonly rowAt: Int32Array;
  /** 1 for each row that was judged. */
  readonly rowSeen: Uint8Array;
  readonly observations: Observation[] = [];
  readonly remarks: Remark[] = [];
  /** Indirect jumps whose targets could not be read. */
  readonly unfollowed: Address[] = [];
  /** Instructions after which control does not go on: calls that never return, and traps. */
  readonly noreturnAt = new Set<Address>();
  /** DWARF's rules, if the file has them. */
  readonly dwarf: DwarfRules | undefined;
  /** 1 for each instruction at which DWARF was judged as well as SFrame. */
  readonly compared: Uint8Array;
  returns = 0;
  /** Paths that ended because SP was no longer known. */
  lostSp = 0;
  /** Not all paths were followed. */
  limited = false;
  /** Keys of the observations: one for each row or instruction and way of being wrong. */
  private readonly known = new Set<number>();

  constructor(readonly entry: FunctionEntry) {
    const { table, fde, size, repeat } = entry;
    const count = Math.ceil(size / 4);
    const rows = table.functions.rowCount[fde] as number;
    this.reached = new Uint8Array(count);
    this.compared = new Uint8Array(count);
    this.dwarf = entry.dwarf && dwarfRules(entry.dwarf, count);
    this.leaders = new Uint8Array(count);
    this.rowSeen = new Uint8Array(rows);
    this.rowAt = new Int32Array(count).fill(-1);
    const first = table.functions.firstRow[fde] as number;
    const outermost = rows === 0 && table.outermostRule >= 0;
    let row = -1;
    for (let i = 0; i < count; i++) {
      const at = repeat > 0 ? (4 * i) % repeat : 4 * i;
      if (at === 0) row = outermost ? -2 : -1;
      while (row + 1 < rows && row >= -1 && (table.rows.start[first + row + 1] as number) <= at)
        row++;
      this.rowAt[i] = row;
    }
  }

  /** The rule of a row. @param row an element of {@link rowAt} @returns its index, or -1 */
  ruleOfRow(row: number): number {
    const { table, fde } = this.entry;
    if (row >= 0) return table.rows.rule[(table.functions.firstRow[fde] as number) + row] as number;
    return row === -2 ? table.outermostRule : -1;
  }

  /** Index of the rule in force at an address of the function, or -1. */
  ruleAt(pc: Address): number {
    return this.ruleOfRow(this.rowAt[(pc - this.entry.start) >>> 2] ?? -1);
  }

  markLeader(pc: Address): void {
    this.leaders[(pc - this.entry.start) >>> 2] = 1;
  }

  endsNoreturn(pc: Address): void {
    this.noreturnAt.add(pc);
  }

  noRow(pc: Address): void {
    this.observe(-1, { kind: 'no-row', row: -1, pc, truth: 'no row is in force' });
  }

  /** Control goes on from `pc` to code without a row, with a frame that is not the caller's. */
  leavesTable(pc: Address, truth: () => string): void {
    if (this.known.has(-4)) return;
    this.observe(-4, { kind: 'no-row', row: -1, pc, truth: truth() });
  }

  misaligned(pc: Address): void {
    this.observe(-2, { kind: 'sp-alignment', row: -1, pc, truth: 'SP is not a multiple of 16' });
  }

  remark(remark: Remark): void {
    const { kind, pc } = remark;
    if (this.remarks.some((known) => known.kind === kind && known.pc === pc)) return;
    this.remarks.push(remark);
  }

  /** Add what another execution of the same function has shown. */
  merge(other: FunctionTrace): void {
    for (const [i, flag] of other.reached.entries()) if (flag === 1) this.reached[i] = 1;
    for (const [i, flag] of other.rowSeen.entries()) if (flag === 1) this.rowSeen[i] = 1;
    for (const [i, flag] of other.compared.entries()) if (flag === 1) this.compared[i] = 1;
    for (const pc of other.noreturnAt) this.noreturnAt.add(pc);
    for (const remark of other.remarks) this.remark(remark);
    for (const [i, key] of [...other.known].entries()) {
      const observation = other.observations[i];
      if (observation !== undefined) this.observe(key, observation);
    }
    this.limited ||= other.limited;
    this.lostSp += other.lostSp;
  }

  /** Keep the first observation of each key. The two collections have the same order. */
  private observe(key: number, observation: Observation): void {
    if (this.known.has(key)) return;
    this.known.add(key);
    this.observations.push(observation);
  }

  /** Add a wrong row, once for each way. @param wrong bits, as of `judgeRow` */
  addWrongRow(pc: Address, row: number, wrong: number, truth: () => string): void {
    for (let how = 1; how < KIND_OF.length; how++) {
      if ((wrong & (1 << how)) === 0) continue;
      const key = (row + 8) * 16 + how;
      const kind = KIND_OF[how];
      if (kind === undefined || this.known.has(key)) continue;
      this.observe(key, { kind, row, pc, truth: truth() });
    }
  }

  /** DWARF is wrong where SFrame is right. Kept once per function. */
  addWrongDwarf(pc: Address, detail: () => string): void {
    if (this.known.has(-3)) return;
    this.observe(-3, { kind: 'dwarf', row: -1, pc, truth: detail() });
  }

  /** Control leaves the function at `pc` in a state in which it must not. */
  addWrong(pc: Address, kind: WrongKind, truth: () => string): void {
    const key = -16 - (pc - this.entry.start);
    if (this.known.has(key)) return;
    const row = this.rowAt[(pc - this.entry.start) >>> 2] ?? -1;
    this.observe(key, { kind, row, pc, truth: truth() });
  }
}
