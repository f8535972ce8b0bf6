/**
 * An SFrame section as plain data for `JSON.stringify`. Addresses are strings because a JSON number
 * does not hold 64 bits.
 */

import { formatAddress } from '../../base/address.js';
import { ROW_MANGLED_RA } from './format.js';
import { flagNames, functionFacts, sectionView } from './dump.js';
import { rowColumns } from './row-text.js';
import { type SFrameSection } from './section.js';

/** One row. The columns are those of the text dump. */
export interface SFrameRowJson {
  /** Address at which the row starts; in a MASK function, its offset in the repeated block. */
  readonly pc: string;
  /** RA is undefined, so the frame is the outermost one; the columns are then absent. */
  readonly outermost: boolean;
  readonly cfa?: string;
  readonly fp?: string;
  readonly ra?: string;
  readonly mangled?: boolean;
}

/** One function. */
export interface SFrameFunctionJson {
  readonly index: number;
  readonly pc: string;
  /** In bytes. */
  readonly size: number;
  readonly pcType: 'inc' | 'mask';
  /** Bytes per repeated block; 0 when `pcType` is `inc`, and in V1. */
  readonly repSize: number;
  readonly type: 'default' | 'flex';
  readonly signalFrame: boolean;
  readonly pauthKey: 'A' | 'B';
  readonly rows: readonly SFrameRowJson[];
}

/** The whole section. */
export interface SFrameJson {
  readonly address: string;
  readonly version: number;
  readonly flags: readonly string[];
  readonly auxHeaderLength: number;
  readonly functionCount: number;
  readonly rowCount: number;
  readonly functions: readonly SFrameFunctionJson[];
}

/** The JSON form of `section`. */
export function sframeJson(section: SFrameSection): SFrameJson {
  const { header } = section;
  const functions = Array.from({ length: section.functions.count }, (_, f) =>
    functionJson(section, f),
  );
  return {
    address: formatAddress(section.address),
    version: header.version,
    flags: flagNames(header.flags),
    auxHeaderLength: header.auxHeaderLength,
    functionCount: header.functionCount,
    rowCount: header.rowCount,
    functions,
  };
}

function functionJson(section: SFrameSection, f: number): SFrameFunctionJson {
  const { functions, rows } = section;
  const view = sectionView(section);
  const facts = functionFacts(section, f);
  const start = functions.start[f] as number;
  const first = functions.firstRow[f] as number;
  const rowJson = (row: number): SFrameRowJson => {
    const offset = rows.start[row] as number;
    const infoOffset = rows.infoOffset[row] as number;
    const pc = formatAddress(facts.isMask ? offset : start + offset);
    const columns = rowColumns(view, infoOffset, facts.isFlex);
    if (columns === undefined) return { pc, outermost: true };
    const mangled = (view.getUint8(infoOffset) & ROW_MANGLED_RA) !== 0;
    return { pc, outermost: false, ...columns, mangled };
  };
  return {
    index: f,
    pc: formatAddress(start),
    size: functions.size[f] as number,
    pcType: facts.isMask ? 'mask' : 'inc',
    repSize: functions.repSize[f] as number,
    type: facts.isFlex ? 'flex' : 'default',
    signalFrame: facts.isSignalFrame,
    pauthKey: facts.isKeyB ? 'B' : 'A',
    rows: Array.from({ length: functions.rowCount[f] as number }, (_, i) => rowJson(first + i)),
  };
}
