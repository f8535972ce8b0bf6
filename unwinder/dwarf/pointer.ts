/** Reads encoded pointers of exception frames (LSB, "DWARF Exception Header Encoding"). */

import { type Address } from '../../base/address.js';
import { type CfiCursor } from './cursor.js';

export const DW_EH_PE_ABSPTR = 0x00;
const DW_EH_PE_PCREL = 0x10;

/**
 * Reads an absolute or PC-relative pointer of 2, 4 or 8 bytes or LEB128. Indirect ones are refused.
 * @param encoding DW_EH_PE_*
 * @param sectionAddress address of the section's first byte
 * @throws DwarfProblem
 */
export function readPointer(
  cursor: CfiCursor,
  field: string,
  encoding: number,
  sectionAddress: Address,
): Address {
  const at = cursor.at;
  const relative = encoding & 0xf0;
  if (relative !== 0 && relative !== DW_EH_PE_PCREL) {
    cursor.fail('unsupported-encoding', field, at, encoding);
  }
  const value = readValue(cursor, field, encoding);
  const address = relative === 0 ? value : sectionAddress + at + value;
  if (!Number.isSafeInteger(address)) cursor.fail('bad-address', field, at, 0);
  return address;
}

/** Skips a pointer of any kind, such as that to the personality routine. */
export function skipPointer(cursor: CfiCursor, field: string, encoding: number): void {
  readValue(cursor, field, encoding);
}

function readValue(cursor: CfiCursor, field: string, encoding: number): number {
  switch (encoding & 0x0f) {
    case 0x00:
    case 0x04:
    case 0x0c:
      return cursor.word(field);
    case 0x01:
      return cursor.uleb(field);
    case 0x02:
      return cursor.u16(field);
    case 0x03:
      return cursor.u32(field);
    case 0x09:
      return cursor.sleb(field);
    case 0x0a:
      return (cursor.u16(field) << 16) >> 16;
    case 0x0b:
      return cursor.s32(field);
    default:
      return cursor.fail('unsupported-encoding', field, cursor.at, encoding);
  }
}
