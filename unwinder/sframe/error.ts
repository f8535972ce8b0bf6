/** Everything that can be wrong with an SFrame section, with a one-line message for each. */
import { plural } from '../../base/number-text.js';

/** Where the offending field is. */
interface At {
  /** The field, as the SFrame spec names it; a bit field follows after a dot. */
  readonly field: string;
  /** Byte offset of the field in the section. */
  readonly offset: number;
  /** Index in the function table of the function being read; absent outside of functions. */
  readonly func?: number;
}

/** Why a section was refused: the first problem that was found. */
export type SFrameError =
  /** The section ends inside the field: `available` of the `needed` bytes are there. */
  | (At & { readonly kind: 'truncated'; readonly needed: number; readonly available: number })
  /** The magic number is wrong in either byte order. */
  | (At & { readonly kind: 'bad-magic'; readonly value: number })
  /** Not version 1, 2 or 3. */
  | (At & { readonly kind: 'unsupported-version'; readonly value: number })
  /** A known ABI other than AArch64 little-endian; `abi` is its name. */
  | (At & { readonly kind: 'unsupported-abi'; readonly value: number; readonly abi: string })
  /** The section is big-endian, but its ABI is not a known big-endian one. */
  | (At & { readonly kind: 'foreign-endian'; readonly value: number })
  /** An offset or a count that exceeds the section; `limit` is the highest valid value. */
  | (At & { readonly kind: 'out-of-bounds'; readonly value: number; readonly limit: number })
  /** The header's number of rows differs from the functions' total, `counted`. */
  | (At & { readonly kind: 'count-mismatch'; readonly value: number; readonly counted: number })
  /** A value the spec does not define; `expected` says what it allows. */
  | (At & { readonly kind: 'bad-field'; readonly value: number; readonly expected: string });

/** A one-line message without a newline: field, byte offset, value, and what was expected. */
export function formatSFrameError(error: SFrameError): string {
  const func = error.func === undefined ? '' : ` of func idx [${error.func}]`;
  const at = `${error.field}${func} at offset ${hex(error.offset)}`;
  switch (error.kind) {
    case 'truncated':
      return `SFrame section truncated: ${at} needs ${plural(error.needed, 'byte')}, ${error.available} left`;
    case 'bad-magic':
      return `not an SFrame section: ${at} is ${hex(error.value)}, not 0xdee2`;
    case 'unsupported-version':
      return `unsupported SFrame version: ${at} is ${error.value}, not 1, 2 or 3`;
    case 'unsupported-abi':
      return `SFrame section is for ${error.abi}, not AArch64 little-endian: ${at} is ${error.value}`;
    case 'foreign-endian':
      return `SFrame section is big-endian with an unknown ABI: ${at} is ${hex(error.value)}`;
    case 'out-of-bounds':
      return `SFrame ${at} is ${error.value}, beyond its limit ${error.limit}`;
    case 'count-mismatch':
      return `SFrame ${at} is ${error.value}, but the functions have ${plural(error.counted, 'row')}`;
    case 'bad-field':
      return `SFrame ${at} is ${error.value}, not ${error.expected}`;
  }
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
