/** Names for the code addresses in a stack or a trace. */
import type { Address } from '../base/address.js';
import type { GuestMemory } from '../emulator/guest-memory.js';
import { classify, InstructionClass } from '../aarch64/instruction.js';
import type { SymbolTable } from '../elf/symbol-table.js';

/** Code, and the symbols that name it. */
export interface NamedCode {
  readonly symbols: SymbolTable;
  readonly memory: Pick<GuestMemory, 'readWord'>;
}

/**
 * Formats an address as `name+0x10/0x40`. The address is usually a return address, and then belongs
 * to the function that made the call. Where no call precedes it, it is not a return address, though
 * it may be in the place of one: a trampoline's first byte, or an interrupted PC.
 * @param exact the address is known not to be a return address, whatever precedes it
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
