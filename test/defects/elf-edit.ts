/** A defect in a built ELF of the package: changes of its bytes, found by what they mean. */
import type { Disassembler } from '../../aarch64/disassembler.js';
import type { Address } from '../../base/address.js';
import { type ElfImage, parseElf } from '../../elf/image.js';
import type { ElfSection } from '../../elf/sections.js';
import type { ElfSymbol } from '../../elf/symbols.js';
import { decodeSFrame } from '../../unwinder/sframe/decode.js';
import { must } from '../cpu-fixture.js';
import { CodePatch } from './code-patch.js';
import { FunctionPatch } from './sframe-patch.js';

/** A change of one ELF file. */
export interface ElfEdit {
  /** The file, named from the package's root. */
  readonly elf: string;
  readonly change: (bytes: ElfBytes) => void;
}

/**
 * The bytes of a file with an edit made.
 * @param intact the file's bytes, which stay as they are
 * @throws Error that says what is wrong with the edit: what it changes is not there, or stays the same
 */
export function editElf(
  { elf, change }: ElfEdit,
  intact: Uint8Array,
  disassembler: Disassembler,
): Uint8Array {
  const edited = new Uint8Array(intact);
  change(new ElfBytes(elf, edited, disassembler));
  if (Buffer.compare(edited, intact) === 0) throw new Error(`${elf}: the edit changes no byte`);
  return edited;
}

const SHT_SYMTAB = 2;
/** struct elf64_sym: size, and where st_value and st_size are. */
const SYM_SIZE = 24;
const SYM_VALUE = 8;
const SYM_SIZE_FIELD = 16;

/** A file, to be changed in place. */
export class ElfBytes {
  private readonly image: ElfImage;

  constructor(
    readonly path: string,
    private readonly bytes: Uint8Array,
    private readonly disassembler: Disassembler,
  ) {
    this.image = must(parseElf(path, new Uint8Array(bytes)));
  }

  /** Change the instructions of a function. */
  code(name: string, change: (code: CodePatch) => void): void {
    const symbol = this.symbol(name);
    const section = this.sectionAt(symbol);
    const low = section.offset + symbol.address - section.address;
    const patch = new CodePatch(
      symbol,
      this.bytes.slice(low, low + symbol.size),
      this.disassembler,
    );
    change(patch);
    this.bytes.set(new Uint8Array(patch.words.buffer), low);
  }

  /** Change the `.sframe` data of a function. */
  sframe(name: string, change: (fn: FunctionPatch) => void): void {
    const { address } = this.symbol(name);
    for (const section of this.image.sframe) {
      const decoded = decodeSFrame(section.data, section.address);
      if (!decoded.ok) throw new Error(`${this.path}: ${section.name} cannot be decoded`);
      const { header, functions } = decoded.value;
      const fn = functions.start.indexOf(address);
      if (fn < 0) continue;
      if (header.version !== 3) throw new Error(`${this.path}: .sframe is not of version 3`);
      const { offset, size } = section;
      change(new FunctionPatch(decoded.value, this.bytes.subarray(offset, offset + size), fn));
      return;
    }
    throw new Error(`${this.path}: no FDE for ${name}`);
  }

  /** Change what the symbol table says of a symbol. */
  symbolEntry(name: string, change: { readonly address?: Address; readonly size?: number }): void {
    const at = this.symbolAt(name);
    const view = new DataView(this.bytes.buffer, this.bytes.byteOffset + at, SYM_SIZE);
    const { address, size } = change;
    if (address !== undefined) view.setBigInt64(SYM_VALUE, BigInt(address), true);
    if (size !== undefined) view.setBigUint64(SYM_SIZE_FIELD, BigInt(size), true);
  }

  private symbol(name: string): ElfSymbol {
    const symbol = this.image.symbols.find((candidate) => candidate.name === name);
    if (symbol === undefined) throw new Error(`${this.path}: no symbol ${name}`);
    return symbol;
  }

  private sectionAt({ name, address, size }: ElfSymbol): ElfSection {
    const section = this.image.sections.find(
      (candidate) =>
        candidate.address !== 0 &&
        address >= candidate.address &&
        address + size <= candidate.address + candidate.data.length,
    );
    if (section === undefined) throw new Error(`${this.path}: ${name} is in no section`);
    return section;
  }

  /** Offset in the file of a symbol's entry. */
  private symbolAt(name: string): number {
    const { sections } = this.image;
    const table = sections.find(({ type }) => type === SHT_SYMTAB);
    const names = table === undefined ? undefined : sections[table.link];
    if (table === undefined || names === undefined) throw new Error(`${this.path}: no symbols`);
    const wanted = Buffer.from(`${name}\0`);
    const strings = Buffer.from(names.data);
    const entries = Buffer.from(table.data);
    for (let at = 0; at < entries.length; at += SYM_SIZE) {
      const start = entries.readUInt32LE(at);
      if (strings.subarray(start, start + wanted.length).equals(wanted)) return table.offset + at;
    }
    throw new Error(`${this.path}: no symbol ${name}`);
  }
}
