/**
 * A relocatable object or a module as an image: its sections one after the other, relocated so that
 * branches, tables and addresses mean what they would in the linked file. ELF for the Arm 64-bit
 * Architecture, "Relocation".
 */
import type { Address } from '../base/address.js';
import { describeElfError } from '../elf/error.js';
import { openFile } from '../elf/file-bytes.js';
import { SHF_EXECINSTR, SHT_NOBITS, SHT_RELA, SYM_SIZE } from '../elf/format.js';
import { objectRelocations } from '../elf/object-relocations.js';
import { nameAt } from '../elf/strings.js';
import type { TableSection } from '../elf/tables-types.js';
import { loadElfTables } from '../elf/tables.js';
import type { ElfImage, ElfSegment, ElfSymbol } from '../elf/types.js';
import { fail, ok, type Result } from '../base/result.js';

/** Bytes from one undefined symbol's place to the next one's. */
const EXTERN_SIZE = 16;
const RELA_SYMBOL = 12;

/** Load an object. The error is one line. */
export function loadObject(path: string): Result<ElfImage, string> {
  const elf = loadElfTables(path, 'apart');
  if (!elf.ok) return fail(describeElfError(elf.error));
  const file = openFile(path);
  if (!file.ok) return fail(describeElfError(file.error));
  const { sections, symbols } = elf.value;
  const loaded = sections.filter(
    ({ loaded: isLoaded, type, size }) => isLoaded && type !== SHT_NOBITS && size > 0,
  );
  const end = sections.reduce(
    (high, one) => Math.max(high, one.loaded ? one.address + one.size : 0),
    0,
  );
  const externs = new Externs(sections, Math.ceil(end / 0x10000) * 0x10000);
  const data = new Map<TableSection, Uint8Array>();
  for (const section of loaded) {
    const relocated = elf.value.sframe.find(({ index }) => index === section.index);
    if (relocated !== undefined) {
      data.set(section, relocated.data);
      continue;
    }
    const bytes = Uint8Array.from(section.data);
    for (const relocations of sections) {
      if (relocations.type !== SHT_RELA || relocations.info !== section.index) continue;
      for (const one of objectRelocations(path, sections, relocations)) {
        if (!one.ok) return fail(describeElfError(one.error));
        const { index, type, offset, value, defined } = one.value;
        const target = Number(value) + (defined ? 0 : externs.placeOf(relocations, index));
        if (Number.isSafeInteger(target)) relocate(bytes, offset, type, target, section.address);
      }
    }
    data.set(section, bytes);
  }
  const segments: ElfSegment[] = loaded.map((section) => ({
    address: section.address,
    memorySize: section.data.length,
    data: data.get(section) ?? section.data,
    readable: true,
    writable: false,
    executable: (section.flags & SHF_EXECINSTR) !== 0,
  }));
  const named: ElfSymbol[] = symbols.map(({ name, address, size, kind, global }) => {
    return { name, address, size, kind, global, weak: false, absolute: false };
  });
  const frames = new Map(elf.value.dwarfFrames.map((section) => [section.index, section.data]));
  const placed = sections.map((section) => ({
    ...section,
    data: frames.get(section.index) ?? data.get(section) ?? section.data,
  }));
  return ok({
    path,
    type: 'dyn',
    entry: 0,
    segments,
    sections: placed,
    symbols: [...named, ...externs.symbols()],
    stripped: elf.value.stripped,
    sframe: elf.value.sframe,
    section: (name) => placed.find((section) => section.name === name),
    read: (offset, length) => file.value.read(offset, length),
    applyRelocations: () => ok(segments.map((segment) => ({ ...segment }))),
  });
}

/** Places for undefined symbols: each its own, so that a call of `panic` is known for one. */
class Externs {
  private readonly places = new Map<string, Address>();

  constructor(
    private readonly sections: readonly TableSection[],
    private readonly start: Address,
  ) {}

  /** The place of the symbol of a relocation. */
  placeOf(relocations: TableSection, index: number): Address {
    const symtab = this.sections[relocations.link];
    const strtab = symtab === undefined ? undefined : this.sections[symtab.link];
    if (symtab === undefined || strtab === undefined) return this.start;
    const { buffer, byteOffset } = relocations.data;
    const rela = new DataView(buffer, byteOffset + 24 * index, 24);
    const at = rela.getUint32(RELA_SYMBOL, true) * SYM_SIZE;
    const symbol = new DataView(symtab.data.buffer, symtab.data.byteOffset + at, SYM_SIZE);
    const name = nameAt(strtab.data, symbol.getUint32(0, true)) ?? '';
    let place = this.places.get(name);
    if (place === undefined) {
      place = this.start + EXTERN_SIZE * this.places.size;
      this.places.set(name, place);
    }
    return place;
  }

  /** Known by name only: there is no code at their places. */
  symbols(): ElfSymbol[] {
    const common = {
      size: 0,
      kind: 'function',
      global: false,
      weak: false,
      absolute: true,
    } as const;
    return [...this.places].map(([name, address]) => ({ name, address, ...common }));
  }
}

/** Apply one relocation. One of a kind that is not known leaves its bytes: the value is unknown. */
function relocate(
  bytes: Uint8Array,
  offset: number,
  type: number,
  target: number,
  base: Address,
): void {
  if (!(offset + 4 <= bytes.length)) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const place = base + offset;
  const word = view.getUint32(offset, true);
  const set = (mask: number, bits: number): void => {
    view.setUint32(offset, ((word & ~mask) | (bits & mask)) >>> 0, true);
  };
  const low = target & 0xfff;
  const pages = Math.floor(target / 4096) - Math.floor(place / 4096);
  switch (type) {
    case 257: // ABS64
    case 260: // PREL64
      if (offset + 8 > bytes.length) return;
      view.setBigInt64(offset, BigInt(type === 257 ? target : target - place), true);
      return;
    case 258: // ABS32
      view.setInt32(offset, target | 0, true);
      return;
    case 261: // PREL32
      view.setInt32(offset, (target - place) | 0, true);
      return;
    case 273: // LD_PREL_LO19
    case 280: // CONDBR19
      set(0x00ffffe0, ((target - place) >> 2) << 5);
      return;
    case 274: // ADR_PREL_LO21
      set(0x60ffffe0, adrBits(target - place));
      return;
    case 275: // ADR_PREL_PG_HI21
    case 276: // ADR_PREL_PG_HI21_NC
      set(0x60ffffe0, adrBits(pages));
      return;
    case 277: // ADD_ABS_LO12_NC
    case 278: // LDST8_ABS_LO12_NC
      set(0x003ffc00, low << 10);
      return;
    case 284: // LDST16_ABS_LO12_NC
      set(0x003ffc00, (low >> 1) << 10);
      return;
    case 285: // LDST32_ABS_LO12_NC
      set(0x003ffc00, (low >> 2) << 10);
      return;
    case 286: // LDST64_ABS_LO12_NC
      set(0x003ffc00, (low >> 3) << 10);
      return;
    case 299: // LDST128_ABS_LO12_NC
      set(0x003ffc00, (low >> 4) << 10);
      return;
    case 279: // TSTBR14
      set(0x0007ffe0, ((target - place) >> 2) << 5);
      return;
    case 282: // JUMP26
    case 283: // CALL26
      set(0x03ffffff, (target - place) >> 2);
      return;
    default:
  }
}

/** immlo and immhi of ADR and ADRP. */
function adrBits(value: number): number {
  return ((value & 3) << 29) | (((value >> 2) & 0x7ffff) << 5);
}
