import { hexWord } from '../base/hex-word.js';
import type { Capstone } from '@alexaltea/capstone-js';
import { addressFromBigInt, hexAddress, type Address } from '../base/address.js';
import { fail, ok, type Result } from '../base/result.js';
import { recentName } from './recent-names.js';

/** Gives addresses their symbols. */
export interface SymbolLookup {
  /**
   * The symbol that contains `address`, and the offset in it in bytes; undefined when none does.
   */
  at(
    address: Address,
  ): { readonly symbol: { readonly name: string }; readonly offset: number } | undefined;
}

/** One A64 instruction, or the data at a place where none can be decoded. */
export interface DisassembledInstruction {
  readonly address: Address;
  /**
   * Lower case: `bl`, `b.ne`, `paciasp`. `.inst` for an unallocated encoding, `.byte` for fewer
   * than four bytes.
   */
  readonly mnemonic: string;
  /**
   * A PC-relative operand is an absolute address with its symbol: `ffff800080010010 <callee+0x0>`.
   */
  readonly operands: string;
  /** Mnemonic and operands, separated by one space. */
  readonly text: string;
  /** The address that a PC-relative operand (branch, ADR, ADRP, literal load) refers to. */
  readonly target: Address | undefined;
}

/** Instructions whose last operand is a label (Arm ARM C3.1, C3.2.5 and C6.2). */
const PC_RELATIVE = /^(b|bl|b\..+|bc\..+|cbn?z|tbn?z|adrp?|ldr|ldrsw|prfm)$/;
/** The label as capstone writes it: an absolute address, in decimal when it is below ten. */
const LABEL = /#(0x[0-9a-f]+|\d+)$/;

/** Shared by the whole process, since it keeps no state between instructions. */
let compiled: Promise<Capstone> | undefined;

/**
 * The module is a third of a megabyte and most runs disassemble nothing, so it is loaded on demand.
 */
async function compile(): Promise<Capstone> {
  const { default: createCapstone } = await import('@alexaltea/capstone-js');
  const module = await createCapstone();
  return new module.Capstone(module.ARCH_ARM64, module.MODE_LITTLE_ENDIAN);
}

/** A64 disassembly for reports and stepping; far too slow for the hot path. */
export class Disassembler {
  private constructor(
    private readonly capstone: Capstone,
    private readonly symbols: SymbolLookup | undefined,
  ) {}

  /**
   * The first call loads and compiles the disassembler, which takes about 80 ms. Fails with one
   * line of text where WebAssembly is not available.
   * @param symbols names for the targets of PC-relative operands
   */
  static async create(symbols?: SymbolLookup): Promise<Result<Disassembler, string>> {
    try {
      return ok(new Disassembler(await (compiled ??= compile()), symbols));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const line = reason.split('\n')[0] ?? '';
      return fail(`cannot start the disassembler (@alexaltea/capstone-js): ${line}`);
    }
  }

  /** The instruction in the first four bytes of `bytes`, decoded as if it lay at `address`. */
  disassemble(bytes: Uint8Array, address: Address): DisassembledInstruction {
    if (bytes.length < 4) {
      return instruction(address, '.byte', [...bytes].map(hexByte).join(', '), undefined);
    }
    const word = bytes.subarray(0, 4);
    const decoded = this.decode(word, address);
    if (decoded === undefined) {
      const [mnemonic, operands] = recentName(wordOf(word)) ?? ['.inst', hexOf(wordOf(word))];
      return instruction(address, mnemonic, operands, undefined);
    }
    const { mnemonic, op_str: operands } = decoded;
    const label = LABEL.exec(operands)?.[1];
    if (label === undefined || !PC_RELATIVE.test(mnemonic) || operands.includes('[')) {
      return instruction(address, mnemonic, operands, undefined);
    }
    const target = addressFromBigInt(BigInt(label));
    const named = operands.replace(LABEL, this.formatTarget(target));
    return instruction(address, mnemonic, named, target);
  }

  /**
   * How a report names an instruction that cannot be executed: `paciasppc (word 0xdac1a3fe)`, or
   * only the word when its name is not known.
   */
  describeWord(word: number, address: Address): string {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, word, true);
    const { mnemonic, text } = this.disassemble(bytes, address);
    return mnemonic === '.inst' ? formatWord(word) : `${text} (${formatWord(word)})`;
  }

  /** Every instruction in `bytes`; the first one lies at `address`. */
  disassembleAll(bytes: Uint8Array, address: Address): DisassembledInstruction[] {
    const all: DisassembledInstruction[] = [];
    for (let at = 0; at < bytes.length; at += 4) {
      all.push(this.disassemble(bytes.subarray(at), address + at));
    }
    return all;
  }

  private decode(word: Uint8Array, address: Address) {
    try {
      return this.capstone.disasm(word, address)[0];
    } catch {
      // Capstone throws on an unallocated encoding, which is not the caller's error.
      return undefined;
    }
  }

  private formatTarget(target: Address): string {
    const place = this.symbols?.at(target);
    const name = place && ` <${place.symbol.name}+0x${place.offset.toString(16)}>`;
    return `${hexAddress(target)}${name ?? ''}`;
  }
}

function instruction(
  address: Address,
  mnemonic: string,
  operands: string,
  target: Address | undefined,
): DisassembledInstruction {
  const text = operands === '' ? mnemonic : `${mnemonic} ${operands}`;
  return { address, mnemonic, operands, text, target };
}

function hexByte(byte: number): string {
  return `0x${byte.toString(16).padStart(2, '0')}`;
}

function wordOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
}

/** `word 0xdac1a3fe`: an instruction without a name. */
export function formatWord(word: number): string {
  return `word ${hexOf(word)}`;
}

function hexOf(word: number): string {
  return `0x${hexWord(word)}`;
}
