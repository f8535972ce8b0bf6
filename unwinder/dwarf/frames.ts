/**
 * Decodes `.eh_frame` (LSB, "Exception Frames") and `.debug_frame` (DWARF 5 section 6.4) of
 * little-endian AArch64 into rows. Time and memory are linear in the section's size.
 */

import { type Address } from '../../base/address.js';
import { type Result, fail, ok } from '../../base/result.js';
import { type Cie, readCie } from './cie.js';
import { CfiCursor } from './cursor.js';
import { type DwarfError, DwarfProblem } from './error.js';
import { readPointer } from './pointer.js';
import { runFunction } from './program.js';
import { type DwarfFunction } from './rows.js';

/** The two formats of call frame information. */
export type DwarfFormat = 'eh_frame' | 'debug_frame';

/**
 * Decodes a section into functions, in table order. Refuses the whole section at the first error.
 * @param bytes the section; that of an object must have been relocated
 * @param sectionAddress where the section is loaded
 */
export function decodeDwarfFrames(
  bytes: Uint8Array,
  sectionAddress: Address,
  format: DwarfFormat,
): Result<readonly DwarfFunction[], DwarfError> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    return ok(new Decoder(view, sectionAddress, format).decode());
  } catch (problem) {
    if (problem instanceof DwarfProblem) return fail(problem.error);
    throw problem;
  }
}

interface Entry {
  /** Offset of the length field. */
  readonly at: number;
  /** Offset of the byte after the CIE id or pointer. */
  readonly body: number;
  readonly end: number;
  /** Offset of an FDE's CIE; undefined when the entry is a CIE itself. */
  readonly cie: number | undefined;
}

class Decoder {
  /**
   * CIEs by offset. An FDE must point to one of them: a CIE elsewhere would be read for each FDE.
   */
  private readonly cieEntries = new Map<number, Entry>();
  private readonly cies = new Map<number, Cie>();

  constructor(
    private readonly view: DataView,
    private readonly address: Address,
    private readonly format: DwarfFormat,
  ) {}

  decode(): DwarfFunction[] {
    const functions: Entry[] = [];
    for (let at = 0; at < this.view.byteLength;) {
      const entry = this.entryAt(at);
      // A length of 0 ends the entries of one object file; those of another may follow.
      at = entry?.end ?? at + 4;
      if (entry === undefined) continue;
      if (entry.cie === undefined) this.cieEntries.set(entry.at, entry);
      else functions.push(entry);
    }
    return functions.map((entry) => this.readFunction(entry, entry.cie as number));
  }

  /** The bounds and the kind of the entry at an offset; undefined for a terminator. */
  private entryAt(at: number): Entry | undefined {
    const all = new CfiCursor(this.view, at, this.view.byteLength);
    const short = all.u32('length');
    if (short === 0) return undefined;
    const is64 = short === 0xffff_ffff;
    const length = is64 ? all.word('extended length') : short;
    const end = all.at + length;
    const idSize = is64 && this.format === 'debug_frame' ? 8 : 4;
    if (length < idSize || end > this.view.byteLength) {
      all.fail('bad-length', 'length', at, Math.max(0, length));
    }
    const idAt = all.at;
    const id = idSize === 8 ? all.word('CIE_pointer') : all.u32('CIE_pointer');
    if (this.format === 'eh_frame') {
      return { at, body: all.at, end, cie: id === 0 ? undefined : idAt - id };
    }
    const isCie = idSize === 8 ? id === -1 : id === 0xffff_ffff;
    return { at, body: all.at, end, cie: isCie ? undefined : id };
  }

  private cieAt(at: number, from: number): Cie {
    const known = this.cies.get(at);
    if (known !== undefined) return known;
    const all = new CfiCursor(this.view, from, this.view.byteLength);
    const entry = this.cieEntries.get(at);
    if (entry === undefined) return all.fail('bad-cie-pointer', 'CIE_pointer', from, at);
    const cie = readCie(new CfiCursor(this.view, entry.body, entry.end), this.address);
    this.cies.set(at, cie);
    return cie;
  }

  private readFunction(entry: Entry, cieAt: number): DwarfFunction {
    const cie = this.cieAt(cieAt, entry.at + 4);
    const cursor = new CfiCursor(this.view, entry.body, entry.end);
    const start = readPointer(cursor, 'initial_location', cie.pointerEncoding, this.address);
    const sizeAt = cursor.at;
    // The size is encoded like the pointer, but as a size it is never PC-relative.
    const size = readPointer(cursor, 'address_range', cie.pointerEncoding & 0x0f, this.address);
    if (size < 0 || !Number.isSafeInteger(start + size)) {
      cursor.fail('bad-address', 'address_range', sizeAt, 0);
    }
    if (cie.hasData) cursor.skip('augmentation data', cursor.uleb('augmentation length'));
    const rows = runFunction(cursor, {
      ...cie,
      readLocation: (from) =>
        readPointer(from, 'DW_CFA_set_loc', cie.pointerEncoding, this.address) - start,
    });
    const { signalFrame, pauthKeyB } = cie;
    return { entry: entry.at, start, size, rows, signalFrame, pauthKeyB };
  }
}
