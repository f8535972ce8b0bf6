/**
 * Checks of SFrame rows that walks leave out. A kernel unwinder strips every return address it
 * finds, so it never asks whether the row in force calls the address signed. Where the return
 * address is in x30, a wrong CFA shows in no trace. The stepped CPU knows both. They matter to an
 * unwinder that authenticates, or that continues from the CFA.
 */
import type { Address } from '../base/address.js';
import type { GuestMemory } from '../emulator/guest-memory.js';
import { stripHighWord } from '../emulator/pointer-auth.js';
import { Reg, type RegisterFile } from '../emulator/registers.js';
import { EntryKind, type ShadowStack } from '../kernel-model/ground-truth.js';
import type { RuleTable } from '../unwinder/rule-table.js';
import { CfaBase, RecoverKind } from '../unwinder/unwind-rule.js';

/**
 * What is wrong with a row.
 * - `cfa`: the CFA is not the SP at which the call in progress began.
 * - `mangled-bit`: `fre_mangled_ra_p` does not say whether the return address is signed.
 */
export type RowFault = 'cfa' | 'mangled-bit';

/** A wrong row, at the first instruction that shows it. */
export interface WrongRow {
  readonly fault: RowFault;
  readonly pc: Address;
  readonly detail: string;
}

/** Checks each instruction's row once. */
export class RowCheck {
  private readonly checked = new Set<Address>();

  constructor(
    private readonly rules: RuleTable,
    private readonly memory: GuestMemory,
  ) {}

  /**
   * What is wrong with the row in force for the instruction about to run. Each instruction is
   * checked once. Undefined when nothing is, when there is no row, or when no call is in progress.
   * @param pending the calls in progress, from ground truth
   */
  check(registers: RegisterFile, pending: ShadowStack): WrongRow | undefined {
    const pc = registers.get(Reg.PC);
    if (this.checked.has(pc)) return undefined;
    const top = pending.depth - 1;
    const rule = this.rules.find(pc);
    if (rule < 0 || top < 0 || pending.kinds[top] !== EntryKind.CALL) return undefined;
    this.checked.add(pc);
    const cfa = this.cfa(rule, registers);
    if (cfa === undefined) return undefined;
    const begun = pending.sps[top] as number;
    if (cfa !== begun) {
      const detail = `the row's CFA is ${cfa - begun} bytes off the SP at the call`;
      return { fault: 'cfa', pc, detail };
    }
    return this.mangledBit(pc, rule, cfa, registers, pending.addresses[top] as number);
  }

  /**
   * Judges `fre_mangled_ra_p` (SFrame spec section 2.4.1), but only where the row leads to the
   * pending return address. Where it leads elsewhere, the walks show that.
   */
  private mangledBit(
    pc: Address,
    rule: number,
    cfa: Address,
    registers: RegisterFile,
    expected: Address,
  ): WrongRow | undefined {
    const words = this.returnAddress(rule, cfa, registers);
    if (words === undefined) return undefined;
    const [low, high] = words;
    const stripped = stripHighWord(high);
    if ((stripped | 0) * 4294967296 + low !== expected) return undefined;
    const signed = stripped !== high;
    if (signed === (this.rules.mangled[rule] === 1)) return undefined;
    const detail = signed
      ? 'the return address is signed, but its row says that it is not'
      : 'the return address is not signed, but its row says that it is';
    return { fault: 'mangled-bit', pc, detail };
  }

  /** The CFA, for rules of the usual form: SP or FP plus an offset (SFrame spec section 3.1.2). */
  private cfa(rule: number, registers: RegisterFile): Address | undefined {
    const { rules } = this;
    const base = rules.cfaBase[rule];
    if (base === CfaBase.REG || rules.cfaDeref[rule] !== 0) return undefined;
    if (rules.raKind[rule] === RecoverKind.UNDEFINED) return undefined;
    const value = registers.get(base === CfaBase.SP ? Reg.SP : Reg.X29);
    return value + (rules.cfaOffset[rule] as number);
  }

  /** Low and high word of the return address where a row says that it is. */
  private returnAddress(
    rule: number,
    cfa: Address,
    registers: RegisterFile,
  ): [number, number] | undefined {
    const { rules } = this;
    const { words } = registers;
    if (rules.raKind[rule] === RecoverKind.UNCHANGED) {
      return [words[2 * Reg.X30] as number, words[2 * Reg.X30 + 1] as number];
    }
    if (rules.raKind[rule] !== RecoverKind.LOAD_CFA) return undefined;
    const slot = cfa + (rules.raOffset[rule] as number);
    const low = this.memory.readWord(slot);
    const high = this.memory.readWord(slot + 4);
    return low === undefined || high === undefined ? undefined : [low, high];
  }
}
