/** A symbol for {@link buildElf}; the defaults make it a global function in section 1. */
export interface BuilderSymbol {
  readonly name: string;
  readonly value: bigint;
  readonly size?: number;
  /** st_info: binding << 4 | type. */
  readonly info?: number;
  readonly section?: number;
  /** A number that st_shndx cannot hold: SHN_XINDEX is there, and this in .symtab_shndx. */
  readonly largeSection?: number;
}

export interface BuilderSection {
  readonly name: string;
  readonly type: number;
  readonly flags?: number;
  readonly address?: bigint;
  readonly data?: Uint8Array;
  /** sh_size of a section without data. */
  readonly size?: number;
  /** sh_link; 0 by default. */
  readonly link?: number;
  /** sh_info; 0 by default. */
  readonly info?: number;
}

export interface BuilderSegment {
  readonly type?: number;
  readonly flags?: number;
  readonly address: bigint;
  readonly data: Uint8Array;
  readonly memorySize?: bigint;
}

export interface BuilderOptions {
  readonly type?: number;
  readonly machine?: number;
  readonly segments?: readonly BuilderSegment[];
  readonly sections?: readonly BuilderSection[];
  /** Undefined for a stripped file. */
  readonly symbols?: readonly BuilderSymbol[];
  /** No section headers at all. */
  readonly noSections?: boolean;
  /** The numbers are in section header 0, whether they fit into the ELF header or not. */
  readonly extended?: boolean;
}

export const TEXT_ADDRESS = 0xffff800080010000n;

/** `words` as little-endian 32-bit words: code or data. */
export function words(...values: number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}

/** `values` as little-endian 64-bit words. */
export function quads(...values: bigint[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(values, (value) => BigInt.asUintN(64, value)).buffer);
}

/**
 * A little-endian AArch64 ELF file: header, program headers, their data, section data,
 * .symtab, .strtab, .shstrtab, section headers. Without options a valid small executable.
 */
export function buildElf(options: BuilderOptions = {}): Buffer {
  const segments = options.segments ?? [{ address: TEXT_ADDRESS, data: words(0xd65f03c0) }];
  const file = new Pieces(64 + segments.length * 56);
  const programs = segments.map((segment) => programHeader(segment, file.add(segment.data)));

  const sections = [
    { name: '', type: 0 },
    ...(options.sections ?? [{ name: '.text', type: 1, flags: 6, address: TEXT_ADDRESS, size: 4 }]),
  ].map((section: BuilderSection) => ({ ...section, link: section.link ?? 0, entry: 0 }));
  if (options.symbols !== undefined) {
    const names = new Strings();
    const symbols = [quads(0n, 0n, 0n), ...options.symbols.map((s) => symbolEntry(s, names))];
    const link = sections.length + 1;
    sections.push({ name: '.symtab', type: 2, data: Buffer.concat(symbols), link, entry: 24 });
    sections.push({ name: '.strtab', type: 3, data: names.bytes(), link: 0, entry: 0 });
    const large = [0, ...options.symbols.map(({ largeSection = 0 }) => largeSection)];
    if (large.some((number) => number > 0)) {
      const shared = { name: '.symtab_shndx', type: 18, link: link - 1, entry: 4 };
      sections.push({ ...shared, data: words(...large) });
    }
  }
  const sectionNames = new Strings();
  const nameOffsets = [...sections, { name: '.shstrtab' }].map(({ name }) =>
    sectionNames.add(name),
  );
  const nameTable = sectionNames.bytes();
  sections.push({ name: '.shstrtab', type: 3, data: nameTable, link: 0, entry: 0 });
  const headers = sections.map((section, i) => {
    const offset = file.add(section.data ?? new Uint8Array());
    return sectionHeader(section, nameOffsets[i] ?? 0, offset);
  });
  const count = options.noSections === true ? 0 : sections.length;
  const isExtended = options.extended === true || count >= 0xff00;
  if (isExtended) {
    headers[0]?.writeBigUInt64LE(BigInt(count), 32);
    headers[0]?.writeUInt32LE(count - 1, 40);
    headers[0]?.writeUInt32LE(segments.length, 44);
  }
  const tableOffset = file.add(Buffer.concat(count === 0 ? [] : headers));

  const header = Buffer.alloc(64);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  header.writeUInt16LE(options.type ?? 2, 16);
  header.writeUInt16LE(options.machine ?? 183, 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(segments[0]?.address ?? 0n, 24);
  header.writeBigUInt64LE(64n, 32);
  header.writeBigUInt64LE(BigInt(count === 0 ? 0 : tableOffset), 40);
  header.writeUInt16LE(64, 52);
  header.writeUInt16LE(56, 54);
  header.writeUInt16LE(isExtended && segments.length > 0 ? 0xffff : segments.length, 56);
  header.writeUInt16LE(64, 58);
  header.writeUInt16LE(isExtended ? 0 : count, 60);
  header.writeUInt16LE(isExtended ? 0xffff : Math.max(0, count - 1), 62);
  return Buffer.concat([header, ...programs, file.bytes()]);
}

/** Where the `index`th program header of a built file starts. */
export function programHeaderAt(index: number): number {
  return 64 + index * 56;
}

function programHeader(segment: BuilderSegment, offset: number): Buffer {
  const header = Buffer.alloc(56);
  header.writeUInt32LE(segment.type ?? 1, 0);
  header.writeUInt32LE(segment.flags ?? 5, 4);
  const size = BigInt(segment.data.length);
  const fields = [BigInt(offset), segment.address, segment.address, size];
  for (const [i, field] of [...fields, segment.memorySize ?? size, 8n].entries()) {
    header.writeBigUInt64LE(field, 8 + i * 8);
  }
  return header;
}

function sectionHeader(
  section: BuilderSection & { readonly link: number; readonly entry: number },
  name: number,
  offset: number,
): Buffer {
  const header = Buffer.alloc(64);
  header.writeUInt32LE(name, 0);
  header.writeUInt32LE(section.type, 4);
  header.writeBigUInt64LE(BigInt(section.flags ?? 0), 8);
  header.writeBigUInt64LE(section.address ?? 0n, 16);
  header.writeBigUInt64LE(BigInt(offset), 24);
  header.writeBigUInt64LE(BigInt(section.size ?? section.data?.length ?? 0), 32);
  header.writeUInt32LE(section.link, 40);
  header.writeUInt32LE(section.info ?? 0, 44);
  header.writeBigUInt64LE(8n, 48);
  header.writeBigUInt64LE(BigInt(section.entry), 56);
  return header;
}

function symbolEntry(symbol: BuilderSymbol, names: Strings): Buffer {
  const entry = Buffer.alloc(24);
  entry.writeUInt32LE(names.add(symbol.name), 0);
  entry.writeUInt8(symbol.info ?? 0x12, 4);
  entry.writeUInt16LE(symbol.largeSection === undefined ? (symbol.section ?? 1) : 0xffff, 6);
  entry.writeBigUInt64LE(symbol.value, 8);
  entry.writeBigUInt64LE(BigInt(symbol.size ?? 0), 16);
  return entry;
}

class Pieces {
  private readonly pieces: Uint8Array[] = [];
  private end: number;

  constructor(start: number) {
    this.end = start;
  }

  /** Appends, 8-byte aligned, and returns the offset in the file. */
  add(data: Uint8Array): number {
    const padding = -this.end & 7;
    const offset = this.end + padding;
    this.pieces.push(new Uint8Array(padding), data);
    this.end = offset + data.length;
    return offset;
  }

  bytes(): Buffer {
    return Buffer.concat(this.pieces);
  }
}

class Strings {
  private text = '\0';

  add(name: string): number {
    if (name === '') return 0;
    const offset = this.text.length;
    this.text += `${name}\0`;
    return offset;
  }

  bytes(): Buffer {
    return Buffer.from(this.text, 'latin1');
  }
}
