/** Unit headers (DWARF 5 section 7.5.1; DWARF 4 section 7.5.1). */
import type { SectionCursor } from './section-cursor.js';

/** A unit of `.debug_info`. All offsets are in that section, unless said otherwise, in bytes. */
export interface Unit {
  /** Offset of its header. */
  readonly start: number;
  /** Offset of its first entry. */
  readonly entries: number;
  /** One past its last byte. */
  readonly end: number;
  /** 2 to 5. */
  readonly version: number;
  /** Size of a section offset in bytes: 4, or 8 in the 64-bit format. */
  readonly offsetSize: number;
  /** Size of an address in bytes. */
  readonly addressSize: number;
  /** Offset of its abbreviations in `.debug_abbrev`. */
  readonly abbreviations: number;
  /**
   * Whether it is a program's unit and not, say, a type unit, which is referred to by signature.
   */
  readonly hasStructures: boolean;
}

/** DW_UT_compile, DW_UT_partial and DW_UT_skeleton; the others are type units and split units. */
const PROGRAM_UNITS: readonly number[] = [1, 3, 4];
const LONG_FORMAT = 0xffffffff;
const RESERVED_LENGTHS = 0xfffffff0;

/** The unit whose header begins at `start`. @throws DebugInfoProblem */
export function readUnit(cursor: SectionCursor, start: number): Unit {
  cursor.seek(start);
  const field = 'unit_length';
  const short = cursor.u32(field);
  const offsetSize = short === LONG_FORMAT ? 8 : 4;
  if (short >= RESERVED_LENGTHS && offsetSize === 4) {
    cursor.refuse('bad-length', field, start, short);
  }
  const length = offsetSize === 8 ? cursor.offset(field, 8) : short;
  if (length === 0 || length > cursor.end - cursor.at) {
    cursor.refuse('bad-length', field, start, length);
  }
  const end = cursor.at + length;
  cursor.end = end;
  const versionAt = cursor.at;
  const version = cursor.u16('version');
  if (version < 2 || version > 5) {
    cursor.refuse('unsupported-version', 'version', versionAt, version);
  }
  const type = version < 5 ? 1 : cursor.u8('unit_type');
  let addressSize = version < 5 ? 0 : cursor.u8('address_size');
  const abbreviations = cursor.offset('debug_abbrev_offset', offsetSize);
  if (version < 5) addressSize = cursor.u8('address_size');
  const hasStructures = PROGRAM_UNITS.includes(type);
  if (type === 4) cursor.pass('dwo_id', 8);
  const entries = cursor.at;
  return { start, entries, end, version, offsetSize, addressSize, abbreviations, hasStructures };
}
