/**
 * Changes single facts in the `.sframe` section of an image: the row or the function is found by
 * decoding, the bytes are changed in place (SFrame spec sections 2.3 and 2.4, version 3).
 */
import type { ElfImage } from '../../elf/image.js';
import type { ElfSection } from '../../elf/sections.js';
import { decodeSFrame } from '../../unwinder/sframe/decode.js';
import {
  dataWordSizeCode,
  FDE_SIZE,
  INFO_FRE_TYPE,
  ROW_BASE_IS_SP,
  ROW_MANGLED_RA,
} from '../../unwinder/sframe/format.js';
import type { SFrameSection } from '../../unwinder/sframe/section.js';

/** Index of a data word of a default row. */
export const DataWord = { CFA: 0, RA: 1, FP: 2 } as const;

/** One function's part of a section, to be changed. */
export class FunctionPatch {
  private readonly view: DataView;

  constructor(
    private readonly section: SFrameSection,
    bytes: Uint8Array,
    private readonly fn: number,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Index in the section of row `row` of the function; negative counts from the last. */
  private row(row: number): number {
    const { firstRow, rowCount } = this.section.functions;
    const count = rowCount[this.fn] as number;
    const index = row < 0 ? count + row : row;
    if (index < 0 || index >= count) throw new Error(`no row ${row}, the function has ${count}`);
    return (firstRow[this.fn] as number) + index;
  }

  private infoAt(row: number): number {
    return this.section.rows.infoOffset[this.row(row)] as number;
  }

  /** Add to a data word (see {@link DataWord}) of a row. */
  addToWord(row: number, word: number, delta: number): void {
    const info = this.infoAt(row);
    const size = dataWordSizeCode(this.view.getUint8(info));
    const at = info + 1 + (word << size);
    if (size === 0) this.view.setInt8(at, this.view.getInt8(at) + delta);
    else if (size === 1) this.view.setInt16(at, this.view.getInt16(at, true) + delta, true);
    else this.view.setInt32(at, this.view.getInt32(at, true) + delta, true);
  }

  flipBase(row: number): void {
    this.flip(row, ROW_BASE_IS_SP);
  }

  flipMangled(row: number): void {
    this.flip(row, ROW_MANGLED_RA);
  }

  private flip(row: number, bit: number): void {
    const info = this.infoAt(row);
    this.view.setUint8(info, this.view.getUint8(info) ^ bit);
  }

  /** Move the start of a row. Rows must stay in order; of equal starts the last row counts. */
  moveRow(row: number, bytes: number): void {
    this.setRowStart(row, (this.section.rows.start[this.row(row)] as number) + bytes);
  }

  /** Take a row out: the one before it goes on to the next one's start. */
  mergeRow(row: number): void {
    this.setRowStart(row, this.section.rows.start[this.row(row) + 1] as number);
  }

  private setRowStart(row: number, start: number): void {
    const type = (this.section.functions.info[this.fn] as number) & INFO_FRE_TYPE;
    const at = this.infoAt(row) - (1 << type);
    if (type === 0) this.view.setUint8(at, start);
    else if (type === 1) this.view.setUint16(at, start, true);
    else this.view.setUint32(at, start, true);
  }

  private get entry(): number {
    return this.section.header.functionsOffset + this.fn * FDE_SIZE[3];
  }

  /** Move the start of the function: 64 bits, relative to the field. Only the low half changes. */
  moveStart(bytes: number): void {
    this.view.setInt32(this.entry, this.view.getInt32(this.entry, true) + bytes, true);
  }

  resize(bytes: number): void {
    const at = this.entry + 8;
    this.view.setUint32(at, this.view.getUint32(at, true) + bytes, true);
  }
}

/** The image with the `.sframe` data of one of its functions changed. */
export function patchSFrame(
  image: ElfImage,
  name: string,
  change: (fn: FunctionPatch) => void,
): ElfImage {
  const symbol = image.symbols.find((candidate) => candidate.name === name);
  if (symbol === undefined) throw new Error(`${image.path}: no symbol ${name}`);
  const patched: string[] = [];
  const sframe = image.sframe.map((section): ElfSection => {
    const decoded = decodeSFrame(section.data, section.address);
    if (!decoded.ok) throw new Error(`${image.path}: .sframe cannot be decoded`);
    const { header, functions } = decoded.value;
    const fn = functions.start.indexOf(symbol.address);
    if (fn < 0) return section;
    if (header.version !== 3) throw new Error(`${image.path}: .sframe is not of version 3`);
    patched.push(section.name);
    const data = new Uint8Array(section.data);
    change(new FunctionPatch(decoded.value, data, fn));
    return { ...section, data };
  });
  if (patched.length === 0) throw new Error(`${image.path}: no FDE for ${name}`);
  return { ...image, sframe };
}
