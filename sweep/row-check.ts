/**
 * Checks of SFrame rows that no walk can make. A kernel unwinder strips every return address it
 * finds, so it never asks whether the row in force says that the address is signed; the stepped CPU
 * knows. An unwinder that authenticates, or a tool that reads `.sframe`, would go by that bit.
 */
import type { Address } from '../emulator/address.js';
import type { GuestMemory } from '../emulator/guest-memory.js';
import { stripHighWord } from '../emulator/pointer-auth.js';
import { Reg, type RegisterFile } from '../emulator/registers.js';
import { EntryKind, type ShadowStack } from '../kernel-model/ground-truth.js';
import type { RuleTable } from '../unwinder/rule-table.js';
import { CfaBase, RecoverKind } from '../unwinder/unwind-rule.js';

/** Checks each instruction's row once. */
export class RowCheck {
  private readonly checked = new Set<Address>();

  constructor(
    private readonly rules: RuleTable,
    private readonly memory: GuestMemory,
  ) {}

  /**
   * Whether the row for the instruction about to run is right about the return address being signed
   * (SFrame spec section 2.4.1, `fre_mangled_ra_p`). Says nothing where there is no row, and where
   * the row does not lead to the pending return address: that is for the walks to show.
   * @returns one line on what is wrong, or undefined
   */
  mangledBit(registers: RegisterFile, pending: ShadowStack): string | undefined {
    const pc = registers.get(Reg.PC);
    if (this.checked.has(pc)) return undefined;
    const top = pending.depth - 1;
    const rule = this.rules.find(pc);
    if (rule < 0 || top < 0 || pending.kinds[top] !== EntryKind.CALL) return undefined;
    const words = this.returnAddress(rule, registers);
    if (words === undefined) return undefined;
    const [low, high] = words;
    const stripped = stripHighWord(high);
    if ((stripped | 0) * 4294967296 + low !== pending.addresses[top]) return undefined;
    this.checked.add(pc);
    const signed = stripped !== high;
    if (signed === (this.rules.mangled[rule] === 1)) return undefined;
    return signed
      ? 'the return address is signed, its row says it is not'
      : 'the return address is not signed, its row says it is';
  }

  /** Low and high word of the return address that a row names, of the forms that rows usually have. */
  private returnAddress(rule: number, registers: RegisterFile): [number, number] | undefined {
    const { rules } = this;
    const { words } = registers;
    if (rules.raKind[rule] === RecoverKind.UNCHANGED) {
      return [words[2 * Reg.X30] as number, words[2 * Reg.X30 + 1] as number];
    }
    const base = rules.cfaBase[rule];
    if (rules.raKind[rule] !== RecoverKind.LOAD_CFA || base === CfaBase.REG) return undefined;
    if (rules.cfaDeref[rule] !== 0) return undefined;
    const cfa =
      registers.get(base === CfaBase.SP ? Reg.SP : Reg.X29) + (rules.cfaOffset[rule] as number);
    const slot = cfa + (rules.raOffset[rule] as number);
    const low = this.memory.readWord(slot);
    const high = this.memory.readWord(slot + 4);
    return low === undefined || high === undefined ? undefined : [low, high];
  }
}
