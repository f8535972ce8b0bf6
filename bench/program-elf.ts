/**
 * The smallest ELF that QEMU loads and gdb reads symbols from: one segment of code, and a symbol
 * for each function (System V ABI, chapters 4 and 5; AArch64 supplement for the machine).
 */

/** A function of the program, in bytes from the start of its code. */
export interface ProgramFunction {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

const HEADER_SIZE = 64;
const SEGMENT_SIZE = 56;
const SECTION_SIZE = 64;
const SYMBOL_SIZE = 24;
const EM_AARCH64 = 183;
/** STB_GLOBAL and STT_FUNC. */
const GLOBAL_FUNCTION = 0x12;
const TEXT_INDEX = 1;

interface Section {
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly address: number;
  readonly bytes: Uint8Array;
  /** sh_link, sh_info, sh_entsize. */
  readonly rest: readonly [number, number, number];
}

/** An executable with `words` at `address`, which is its entry point. */
export function programElf(
  address: number,
  words: readonly number[],
  functions: readonly ProgramFunction[],
): Uint8Array {
  const code = new Uint8Array(Uint32Array.from(words).buffer);
  const names = functions.map(({ name }) => name);
  const { bytes: strings, at } = stringTable(names);
  const symbols = new DataView(new ArrayBuffer(SYMBOL_SIZE * (functions.length + 1)));
  for (const [i, { offset, size }] of functions.entries()) {
    const symbol = SYMBOL_SIZE * (i + 1);
    symbols.setUint32(symbol, at[i] ?? 0, true);
    symbols.setUint8(symbol + 4, GLOBAL_FUNCTION);
    symbols.setUint16(symbol + 6, TEXT_INDEX, true);
    setWord(symbols, symbol + 8, address + offset);
    setWord(symbols, symbol + 16, size);
  }
  const table = new Uint8Array(symbols.buffer);
  return layOut(address, [
    { name: '.text', type: 1, flags: 6, address, bytes: code, rest: [0, 0, 0] },
    { name: '.symtab', type: 2, flags: 0, address: 0, bytes: table, rest: [3, 1, SYMBOL_SIZE] },
    { name: '.strtab', type: 3, flags: 0, address: 0, bytes: strings, rest: [0, 0, 0] },
  ]);
}

function layOut(entry: number, given: readonly Section[]): Uint8Array {
  const { bytes: strings, at } = stringTable([...given.map(({ name }) => name), '.shstrtab']);
  const last = { name: '.shstrtab', type: 3, flags: 0, address: 0, bytes: strings } as const;
  const sections: Section[] = [...given, { ...last, rest: [0, 0, 0] }];
  const start = HEADER_SIZE + SEGMENT_SIZE;
  const size = sections.reduce((sum, { bytes }) => sum + aligned(bytes.length), start);
  const file = new DataView(new ArrayBuffer(size + SECTION_SIZE * (sections.length + 1)));
  const out = new Uint8Array(file.buffer);
  // e_ident: 64-bit, little-endian, version 1.
  out.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  setHalves(file, 16, [2, EM_AARCH64]);
  file.setUint32(20, 1, true);
  setWord(file, 24, entry);
  setWord(file, 32, HEADER_SIZE);
  setWord(file, 40, size);
  setHalves(file, 52, [HEADER_SIZE, SEGMENT_SIZE, 1, SECTION_SIZE]);
  setHalves(file, 60, [sections.length + 1, sections.length]);
  let offset = start;
  for (const [i, section] of sections.entries()) {
    out.set(section.bytes, offset);
    const header = size + SECTION_SIZE * (i + 1);
    const [link, info, entrySize] = section.rest;
    file.setUint32(header, at[i] ?? 0, true);
    file.setUint32(header + 4, section.type, true);
    setWord(file, header + 8, section.flags);
    setWord(file, header + 16, section.address);
    setWord(file, header + 24, offset);
    setWord(file, header + 32, section.bytes.length);
    file.setUint32(header + 40, link, true);
    file.setUint32(header + 44, info, true);
    setWord(file, header + 48, 8);
    setWord(file, header + 56, entrySize);
    if (section.name === '.text') setSegment(file, offset, section);
    offset += aligned(section.bytes.length);
  }
  return out;
}

/** Writes a PT_LOAD header, readable and executable. */
function setSegment(file: DataView, offset: number, { address, bytes }: Section): void {
  file.setUint32(HEADER_SIZE, 1, true);
  file.setUint32(HEADER_SIZE + 4, 5, true);
  const words = [offset, address, address, bytes.length, bytes.length, 8];
  for (const [i, word] of words.entries()) setWord(file, HEADER_SIZE + 8 + 8 * i, word);
}

function aligned(size: number): number {
  return Math.ceil(size / 8) * 8;
}

function setWord(view: DataView, at: number, value: number): void {
  view.setBigUint64(at, BigInt(value), true);
}

function setHalves(view: DataView, at: number, values: readonly number[]): void {
  for (const [i, value] of values.entries()) view.setUint16(at + 2 * i, value, true);
}

function stringTable(names: readonly string[]): { bytes: Uint8Array; at: readonly number[] } {
  let text = '\0';
  const at = names.map((name) => {
    const offset = text.length;
    text += `${name}\0`;
    return offset;
  });
  return { bytes: new TextEncoder().encode(text), at };
}
