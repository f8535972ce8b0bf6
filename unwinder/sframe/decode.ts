/**
 * Decodes an SFrame section of little-endian AArch64: versions 1, 2 (with both errata) and 3.
 *
 * Everything is checked once, here: a section that decodes can be searched and printed without
 * further errors. Time and memory are linear in the section's length, whatever its counts claim.
 */

import { type Address, addressFromWords } from '../../base/address.js';
import { type Result, fail, ok } from '../../base/result.js';
import { RuleSet } from '../rule-set.js';
import { type UnwindRule, emptyRule } from '../unwind-rule.js';
import { type SFrameError } from './error.js';
import { type FieldNames, NAMES_V1_V2, NAMES_V3 } from './field-names.js';
import {
  FDE_ATTRIBUTE_SIZE,
  FDE_SIZE,
  FDE_TYPE_FLEX,
  FRE_TYPE_ADDR4,
  F_FDE_FUNC_START_PCREL,
  INFO2_FDE_TYPE,
  INFO_FRE_TYPE,
  INFO_PAUTH_KEY_B,
  INFO_PCTYPE_MASK,
  INFO_SIGNAL,
  ROW_DATAWORD_4B,
  dataWordCount,
  dataWordSizeCode,
} from './format.js';
import { decodeHeader } from './header.js';
import { readDefaultRow, readFlexRow, setUndefined } from './row-rule.js';
import { type SFrameHeader, type SFrameSection } from './section.js';

/**
 * Decodes a section. Refuses the whole section at the first error.
 * @param bytes the section; they are copied, so later changes to them have no effect
 * @param sectionAddress where the section is loaded
 */
export function decodeSFrame(
  bytes: Uint8Array,
  sectionAddress: Address,
): Result<SFrameSection, SFrameError> {
  // Not slice(): on a Node Buffer it returns a view of the same bytes.
  const copy = new Uint8Array(bytes);
  const view = new DataView(copy.buffer, copy.byteOffset, copy.byteLength);
  const header = decodeHeader(view);
  if (!header.ok) return header;
  return new Decoder(copy, view, header.value, sectionAddress).decode();
}

class Decoder {
  private readonly names: FieldNames;
  private readonly rules = new RuleSet();
  private readonly scratch: UnwindRule = emptyRule();
  private readonly start: Float64Array;
  private readonly size: Uint32Array;
  private readonly firstRow: Uint32Array;
  private readonly rowCount: Uint32Array;
  private readonly info: Uint8Array;
  private readonly info2: Uint8Array;
  private readonly repSize: Uint8Array;
  private readonly rowStart: Uint32Array;
  private readonly rowInfoOffset: Uint32Array;
  private readonly rowRule: Uint32Array;
  /** Rows decoded so far. */
  private rowsSeen = 0;
  private outermostRule = -1;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly view: DataView,
    private readonly header: SFrameHeader,
    private readonly address: Address,
  ) {
    const { functionCount, rowCount } = header;
    this.names = header.version === 3 ? NAMES_V3 : NAMES_V1_V2;
    this.start = new Float64Array(functionCount);
    this.size = new Uint32Array(functionCount);
    this.firstRow = new Uint32Array(functionCount);
    this.rowCount = new Uint32Array(functionCount);
    this.info = new Uint8Array(functionCount);
    this.info2 = new Uint8Array(functionCount);
    this.repSize = new Uint8Array(functionCount);
    this.rowStart = new Uint32Array(rowCount);
    this.rowInfoOffset = new Uint32Array(rowCount);
    this.rowRule = new Uint32Array(rowCount);
  }

  decode(): Result<SFrameSection, SFrameError> {
    const { header } = this;
    for (let f = 0; f < header.functionCount; f++) {
      const error = this.decodeFunction(f);
      if (error !== undefined) return fail(error);
    }
    if (this.rowsSeen !== header.rowCount) return fail(this.countMismatch(this.rowsSeen));
    return ok({
      address: this.address,
      bytes: this.bytes,
      header,
      functions: {
        count: header.functionCount,
        start: this.start,
        size: this.size,
        firstRow: this.firstRow,
        rowCount: this.rowCount,
        info: this.info,
        info2: this.info2,
        repSize: this.repSize,
      },
      rows: {
        count: header.rowCount,
        start: this.rowStart,
        infoOffset: this.rowInfoOffset,
        rule: this.rowRule,
      },
      rules: this.rules.seal(),
      outermostRule: this.outermostRule,
    });
  }

  /** Decodes one entry of the function table, its V3 attribute, and its rows. */
  private decodeFunction(f: number): SFrameError | undefined {
    const { view, header, names } = this;
    const v3 = header.version === 3;
    const entry = header.functionsOffset + f * FDE_SIZE[header.version];
    const wrongStart = this.decodeStart(f, entry);
    if (wrongStart !== undefined) return wrongStart;
    this.size[f] = view.getUint32(entry + (v3 ? 8 : 4), true);

    const freOffsetAt = entry + (v3 ? 12 : 8);
    const freOffset = view.getUint32(freOffsetAt, true);
    const attributeSize = v3 ? FDE_ATTRIBUTE_SIZE : 0;
    if (freOffset + attributeSize > header.rowsLength) {
      const limit = Math.max(0, header.rowsLength - attributeSize);
      const field = names.freOffset;
      return {
        kind: 'out-of-bounds',
        field,
        offset: freOffsetAt,
        func: f,
        value: freOffset,
        limit,
      };
    }
    const rowsAt = header.rowsOffset + freOffset;
    const attribute = v3 ? rowsAt : entry + 12;
    const rowCount = v3 ? view.getUint16(attribute, true) : view.getUint32(attribute, true);
    const infoAt = attribute + (v3 ? 2 : 4);
    this.info[f] = view.getUint8(infoAt);
    if (v3) {
      this.info2[f] = view.getUint8(infoAt + 1);
      this.repSize[f] = view.getUint8(infoAt + 2);
    } else if (header.version === 2) {
      this.repSize[f] = view.getUint8(infoAt + 1);
    }

    // Check this before any work per row: the functions together may not have more than the header.
    const counted = this.rowsSeen + rowCount;
    if (counted > header.rowCount) return { ...this.countMismatch(counted), func: f };
    this.firstRow[f] = this.rowsSeen;
    this.rowCount[f] = rowCount;
    return (
      this.checkInfo(f, infoAt, rowCount) ?? this.decodeRows(f, rowsAt + attributeSize, rowCount)
    );
  }

  /** Spec section 2.3.1: a start is relative to its field (errata 1, V3) or to the section. */
  private decodeStart(f: number, entry: number): SFrameError | undefined {
    const { view, header } = this;
    const relative =
      header.version === 3
        ? addressFromWords(view.getUint32(entry, true), view.getInt32(entry + 4, true))
        : view.getInt32(entry, true);
    const isPcRelative = (header.flags & F_FDE_FUNC_START_PCREL) !== 0;
    const start = this.address + (isPcRelative ? entry : 0) + relative;
    if (!Number.isSafeInteger(relative) || !Number.isSafeInteger(start + 0xffff_ffff)) {
      return this.bad(this.names.start, entry, f, relative, 'an offset to a 48-bit address');
    }
    this.start[f] = start;
    return undefined;
  }

  /** Checks the FDE info bytes (spec section 2.3.3). Bits without a meaning must be clear. */
  private checkInfo(f: number, at: number, rowCount: number): SFrameError | undefined {
    const { names, header } = this;
    const info = this.info[f] as number;
    const info2 = this.info2[f] as number;
    const freType = info & INFO_FRE_TYPE;
    if (freType > FRE_TYPE_ADDR4) {
      return this.bad(`${names.info}.fre_type`, at, f, freType, '0, 1 or 2');
    }
    const unused = header.version === 3 ? 0x40 : 0xc0;
    if ((info & unused) !== 0) {
      return this.bad(`${names.info}.unused`, at, f, info & unused, '0');
    }
    if ((info2 & ~INFO2_FDE_TYPE) !== 0) {
      return this.bad(`${names.info}2.unused`, at + 1, f, info2 & ~INFO2_FDE_TYPE, '0');
    }
    if ((info2 & INFO2_FDE_TYPE) > FDE_TYPE_FLEX) {
      return this.bad(`${names.info}2.fde_type`, at + 1, f, info2, '0 or 1');
    }
    const isMask = (info & INFO_PCTYPE_MASK) !== 0;
    if (isMask && header.version > 1 && this.repSize[f] === 0 && rowCount > 0) {
      const repSizeAt = at + (header.version === 3 ? 2 : 1);
      return this.bad(names.repSize, repSizeAt, f, 0, 'the size of a repeated block');
    }
    return undefined;
  }

  private decodeRows(f: number, at: number, rowCount: number): SFrameError | undefined {
    const { view, header, scratch } = this;
    const info = this.info[f] as number;
    const isFlex = ((this.info2[f] as number) & INFO2_FDE_TYPE) === FDE_TYPE_FLEX;
    if (rowCount === 0) {
      if (header.version === 3 && !isFlex) this.internOutermost();
      return undefined;
    }
    const startSize = 1 << (info & INFO_FRE_TYPE);
    const isMask = (info & INFO_PCTYPE_MASK) !== 0;
    const startsAreMasks = isMask && header.version === 1;
    const highest = (isMask ? this.repSize[f] : this.size[f]) as number;
    const end = header.rowsOffset + header.rowsLength;
    let previous = 0;
    for (let i = 0; i < rowCount; i++) {
      const infoAt = at + startSize;
      if (infoAt + 1 > end)
        return truncatedRow('sframe_frame_row_entry', at, startSize + 1, end, f);
      const start = this.readStart(at, startSize);
      if (!startsAreMasks && (start < previous || start > highest)) {
        const expected = `between ${previous} (the row before) and ${highest}`;
        return this.bad('sfre_start_address', at, f, start, expected);
      }
      previous = start;

      const rowInfo = view.getUint8(infoAt);
      const sizeCode = dataWordSizeCode(rowInfo);
      const count = dataWordCount(rowInfo);
      if (sizeCode > ROW_DATAWORD_4B) {
        const expected = '0, 1 or 2';
        return this.bad('sfre_info.fre_dataword_size', infoAt, f, sizeCode, expected);
      }
      const length = count << sizeCode;
      if (infoAt + 1 + length > end) {
        return truncatedRow('FRE data words', infoAt + 1, length, end, f);
      }
      if (count === 0 && header.version === 1) {
        const expected = '1 to 3 in V1';
        return this.bad('sfre_info.fre_dataword_count', infoAt, f, 0, expected);
      }
      scratch.signalFrame = (info & INFO_SIGNAL) !== 0;
      scratch.pauthKeyB = (info & INFO_PAUTH_KEY_B) !== 0;
      const problem = isFlex
        ? readFlexRow(view, infoAt, scratch)
        : readDefaultRow(view, infoAt, scratch);
      if (problem !== undefined) return { kind: 'bad-field', ...problem, func: f };

      const row = this.rowsSeen++;
      this.rowStart[row] = start;
      this.rowInfoOffset[row] = infoAt;
      this.rowRule[row] = this.rules.intern(scratch);
      at = infoAt + 1 + length;
    }
    return undefined;
  }

  private readStart(at: number, size: number): number {
    if (size === 1) return this.view.getUint8(at);
    return size === 2 ? this.view.getUint16(at, true) : this.view.getUint32(at, true);
  }

  private internOutermost(): void {
    setUndefined(this.scratch);
    this.outermostRule = this.rules.intern(this.scratch);
  }

  private bad(
    field: string,
    offset: number,
    func: number,
    value: number,
    expected: string,
  ): SFrameError {
    return { kind: 'bad-field', field, offset, func, value, expected };
  }

  private countMismatch(counted: number): SFrameError {
    const value = this.header.rowCount;
    return { kind: 'count-mismatch', field: 'sfh_num_fres', offset: 0x0c, value, counted };
  }
}

function truncatedRow(
  field: string,
  offset: number,
  needed: number,
  end: number,
  func: number,
): SFrameError {
  const available = Math.max(0, end - offset);
  return { kind: 'truncated', field, offset, needed, available, func };
}
