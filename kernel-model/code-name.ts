/** Names of code addresses that a stack or a trace holds. */
import type { Address } from '../base/address.js';
import type { GuestMemory } from '../emulator/guest-memory.js';
import { classify, InstructionClass } from '../aarch64/instruction.js';
import type { SymbolTable } from '../elf/symbol-table.js';

/** Where code is, and what it is called. */
export interface NamedCode {
  readonly symbols: SymbolTable;
  readonly memory: Pick<GuestMemory, 'readWord'>;
}

/**
 * `name+0x10/0x40` of an address that is usually a return address: after a call it belongs to the
 * function that called. Where no call lies before it, it is not one, though it may stand in the place
 * of one: a trampoline's first byte, or an interrupted PC.
 * @param exact it is known to be no return address, whatever lies before it
 */
export function codeName({ symbols, memory }: NamedCode, address: Address, exact = false): string {
  if (exact) return symbols.format(address);
  const before = memory.readWord(address - 4);
  const isBehindCall = before !== undefined && isCall(before);
  return isBehindCall ? symbols.formatReturnAddress(address) : symbols.format(address);
}

function isCall(word: number): boolean {
  const kind = classify(word);
  return kind === InstructionClass.BL || kind === InstructionClass.BLR;
}
