/**
 * The registers as a debugger shows them: hexadecimal, with the symbol they point to, changes
 * marked.
 */
import { hexWord } from '../../base/hex-word.js';
import { addressFromWords } from '../../base/address.js';
import { Pstate, Reg, REGISTER_COUNT, registerName } from '../../emulator/registers.js';
import type { SymbolTable } from '../../elf/symbol-table.js';

/** One register. */
export interface RegisterLine {
  /** `x0`, `sp`, `elr_el1`, ... */
  readonly name: string;
  /** 16 hexadecimal digits; 8 for PSTATE, SPSR and ESR. */
  readonly value: string;
  /** The last step changed it. */
  readonly changed: boolean;
  /** What its value means: `function+0x10/0x40`, or the decoded PSTATE; else empty. */
  readonly meaning: string;
}

const SHORT: readonly number[] = [Reg.PSTATE, Reg.SPSR_EL1, Reg.ESR_EL1];

/**
 * All registers of a `RegisterFile`, in the order of `Reg`.
 * @param words its words
 * @param before its words before the last step; undefined marks no change
 */
export function registerView(
  words: Uint32Array,
  before: Uint32Array | undefined,
  symbols: SymbolTable,
): RegisterLine[] {
  return Array.from({ length: REGISTER_COUNT }, (_, index) => {
    const low = words[2 * index] as number;
    const high = words[2 * index + 1] as number;
    const changed =
      before !== undefined && (before[2 * index] !== low || before[2 * index + 1] !== high);
    return {
      name: registerName(index),
      value: SHORT.includes(index) ? hexWord(low) : hexWord(high) + hexWord(low),
      changed: changed && index !== Reg.PC,
      meaning: meaning(index, low, high, symbols),
    };
  });
}

function meaning(index: number, low: number, high: number, symbols: SymbolTable): string {
  if (index === Reg.PSTATE || index === Reg.SPSR_EL1) return pstateText(low);
  if (SHORT.includes(index) || high >>> 16 === 0) return '';
  const address = addressFromWords(low, high);
  const found = symbols.at(address);
  if (found === undefined) return '';
  return `${found.symbol.name}+0x${found.offset.toString(16)}`;
}

/** PSTATE or SPSR_EL1 as `nzCv DAIF EL1h`. Flags that are set are capitals (Arm ARM C5.2.19). */
export function pstateText(pstate: number): string {
  const flag = (bit: number, name: string): string =>
    (pstate & bit) !== 0 ? name : name.toLowerCase();
  const flags = flag(1 << 31, 'N') + flag(1 << 30, 'Z') + flag(1 << 29, 'C') + flag(1 << 28, 'V');
  const masks =
    flag(Pstate.D, 'D') + flag(Pstate.A, 'A') + flag(Pstate.I, 'I') + flag(Pstate.F, 'F');
  const level = `EL${(pstate >>> 2) & 3}${(pstate & 1) !== 0 ? 'h' : 't'}`;
  return `${flags} ${masks} ${level}${(pstate & Pstate.IL) !== 0 ? ' IL' : ''}`;
}
