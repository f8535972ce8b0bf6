/**
 * Formats the CFA, FP and RA columns of one row as `readelf --sframe` of binutils 2.47 does.
 * `sp+16` and `fp-8` are register sums, and `c-8` is a load from CFA - 8. Parentheses are a load
 * from what they enclose. `u` is unchanged, `U` a padding word (not saved), and `[s]` a signed RA.
 */

import { signedOffset } from '../../base/signed-offset.js';
import { DWARF_FP, DWARF_SP } from '../unwind-rule.js';
import {
  CONTROL_DEREF,
  CONTROL_REG,
  CONTROL_REGNUM_SHIFT,
  ROW_BASE_IS_SP,
  dataWordCount,
} from './format.js';
import { signedWord, unsignedWord } from './row-rule.js';

/** The three columns, without padding. */
export interface RowColumns {
  readonly cfa: string;
  readonly fp: string;
  readonly ra: string;
}

/**
 * The columns of the row whose info byte is at `infoOffset`; undefined for a row without data
 * words, whose RA is undefined.
 * @param likeReadelf a negative offset of a CFA is printed as readelf does: `sp+-16`
 */
export function rowColumns(
  view: DataView,
  infoOffset: number,
  isFlex: boolean,
  likeReadelf = false,
): RowColumns | undefined {
  const info = view.getUint8(infoOffset);
  const count = dataWordCount(info);
  if (count === 0) return undefined;
  const signed = (index: number): number => signedWord(view, infoOffset, index);
  if (!isFlex) {
    const base = (info & ROW_BASE_IS_SP) !== 0 ? 'sp' : 'fp';
    const ra = count > 1 ? signed(1) : undefined;
    return {
      cfa: `${base}${likeReadelf ? `+${signed(0)}` : signedOffset(signed(0))}`,
      fp: count > 2 ? `c${signedOffset(signed(2))}` : 'u',
      ra: ra === undefined ? 'u' : ra === 0 ? 'U' : `c${signedOffset(ra)}`,
    };
  }

  const control = (index: number): number => unsignedWord(view, infoOffset, index);
  const location = (index: number): string => flexText(control(index), signed(index + 1));
  const cfa = location(0);
  if (count === 2) return { cfa, fp: 'u', ra: 'u' };
  const isPadded = control(2) === 0;
  const fpAt = isPadded ? 3 : 4;
  return {
    cfa,
    fp: fpAt < count && control(fpAt) !== 0 ? location(fpAt) : 'u',
    ra: isPadded ? 'U' : location(2),
  };
}

/** The text of one pair of control word and offset in a flexible row. */
function flexText(control: number, offset: number): string {
  // readelf prints both *(CFA + n) and CFA + n as c+n.
  if ((control & CONTROL_REG) === 0) return `c${signedOffset(offset)}`;
  const sum = `${registerName(control >>> CONTROL_REGNUM_SHIFT)}${signedOffset(offset)}`;
  return (control & CONTROL_DEREF) === 0 ? sum : `(${sum})`;
}

function registerName(register: number): string {
  if (register === DWARF_SP) return 'sp';
  return register === DWARF_FP ? 'fp' : `r${register}`;
}
