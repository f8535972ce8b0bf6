/** What an SFrame section spends its bytes on. */

import { flagNames } from '../unwinder/sframe/dump.js';
import { FDE_ATTRIBUTE_SIZE, FDE_SIZE, HEADER_SIZE } from '../unwinder/sframe/format.js';
import type { SFrameSection } from '../unwinder/sframe/section.js';
import type { DwarfTable, FileTables } from './read-tables.js';
import { type Counts, RowCounter } from './row-counter.js';

/** Statistics of one section. Sizes are in bytes; a record maps each thing to how often it occurs. */
export interface SFrameStat {
  readonly name: string;
  readonly version: number;
  readonly flags: readonly string[];
  readonly bytes: {
    readonly total: number;
    readonly header: number;
    readonly functionTable: number;
    /** The part of a function's entry that V3 keeps with its rows. */
    readonly attributes: number;
    readonly rowStarts: number;
    readonly rowInfo: number;
    readonly rowData: number;
    /** Gaps between the sub-sections, and rows of no function. Negative where functions share rows. */
    readonly unused: number;
  };
  readonly functions: {
    readonly count: number;
    /** Sum of the functions' sizes. */
    readonly text: number;
    readonly types: Counts;
    readonly pcTypes: Counts;
    readonly signalFrames: number;
    readonly keyB: number;
    readonly outermost: number;
    /** By the size of a row start, in bytes. */
    readonly startSizes: Counts;
    readonly rowsPerFunction: Distribution;
    readonly textPerFunction: Distribution;
    /** Bytes of a function's entry and rows in the table. */
    readonly bytesPerFunction: Distribution;
  };
  readonly rows: {
    readonly count: number;
    readonly cfaBase: Counts;
    readonly ra: Counts;
    readonly fp: Counts;
    readonly mangled: number;
    /** By the number of data words. */
    readonly dataWords: Counts;
    /** By the size of a data word, in bytes. Rows without data words are not counted. */
    readonly dataWordSizes: Counts;
    readonly distinctRules: number;
  };
  /** What could be smaller without a change of meaning. The parts may overlap. */
  readonly avoidable: {
    /** Rows that repeat the rule before them, or start where the row before them does. */
    readonly redundantRows: number;
    readonly redundantRowBytes: number;
    /** Row starts that are wider than the function's highest one needs. */
    readonly wideStartBytes: number;
    /** Data words that are wider than their values need. */
    readonly wideDataBytes: number;
    /** Rows of MASK functions, which describe repeated blocks. */
    readonly maskBytes: number;
    /** Functions whose rows equal those of an earlier one byte for byte, and the bytes of these rows. */
    readonly duplicateRowLists: number;
    readonly duplicateRowBytes: number;
  };
}

/** The distribution of a number that each function has. */
export interface Distribution {
  readonly min: number;
  readonly median: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
  readonly mean: number;
}

/** A file's SFrame sections, and the size of its call frame information for comparison. */
export interface FileStat {
  readonly file: string;
  readonly sections: readonly SFrameStat[];
  readonly dwarf: readonly { readonly name: string; readonly bytes: number; functions: number }[];
  /** Bytes of executable sections. */
  readonly text: number;
}

/** The statistics of a file. */
export function fileStat({ elf, sframe }: FileTables, dwarf: readonly DwarfTable[]): FileStat {
  return {
    file: elf.path,
    sections: sframe.map(({ name, section }) => sectionStat(name, section)),
    dwarf: dwarf.map(({ name, size, functions }) => {
      return { name, bytes: size, functions: functions.length };
    }),
    text: elf.sections.reduce((sum, { executable, size }) => sum + (executable ? size : 0), 0),
  };
}

/** The statistics of one section. */
export function sectionStat(name: string, section: SFrameSection): SFrameStat {
  const { header, functions, rows, bytes } = section;
  const counted = new RowCounter(section);
  for (let f = 0; f < functions.count; f++) counted.add(f);
  const v3 = header.version === 3;
  const attributes = v3 ? functions.count * FDE_ATTRIBUTE_SIZE : 0;
  const functionTable = functions.count * FDE_SIZE[header.version];
  const headerSize = HEADER_SIZE + header.auxHeaderLength;
  const used =
    headerSize + functionTable + attributes + counted.startBytes + rows.count + counted.dataBytes;
  return {
    name,
    version: header.version,
    flags: flagNames(header.flags),
    bytes: {
      total: bytes.length,
      header: headerSize,
      functionTable,
      attributes,
      rowStarts: counted.startBytes,
      rowInfo: rows.count,
      rowData: counted.dataBytes,
      unused: bytes.length - used,
    },
    functions: {
      count: functions.count,
      text: functions.size.reduce((sum, size) => sum + size, 0),
      types: counted.types.counts(),
      pcTypes: counted.pcTypes.counts(),
      signalFrames: counted.signalFrames,
      keyB: counted.keyB,
      outermost: counted.outermost,
      startSizes: counted.startSizes.counts(),
      rowsPerFunction: distribution(functions.rowCount),
      textPerFunction: distribution(functions.size),
      bytesPerFunction: distribution(counted.bytesPerFunction),
    },
    rows: {
      count: rows.count,
      cfaBase: counted.cfaBase.counts(),
      ra: counted.ra.counts(),
      fp: counted.fp.counts(),
      mangled: counted.mangled,
      dataWords: counted.dataWords.counts(),
      dataWordSizes: counted.dataWordSizes.counts(),
      distinctRules: section.rules.count,
    },
    avoidable: {
      redundantRows: counted.redundantRows,
      redundantRowBytes: counted.redundantRowBytes,
      wideStartBytes: counted.wideStartBytes,
      wideDataBytes: counted.wideDataBytes,
      maskBytes: counted.maskBytes,
      duplicateRowLists: counted.duplicateRowLists,
      duplicateRowBytes: counted.duplicateRowBytes,
    },
  };
}

function distribution(values: Uint32Array): Distribution {
  const sorted = values.slice().sort();
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  const sum = sorted.reduce((total, value) => total + value, 0);
  const mean = sorted.length === 0 ? 0 : Math.round((sum / sorted.length) * 100) / 100;
  return { min: at(0), median: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1), mean };
}
