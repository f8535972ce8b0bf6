/** What an SFrame section spends its bytes on. */

import { functionFacts } from '../unwinder/sframe/dump.js';
import {
  FDE_ATTRIBUTE_SIZE,
  FDE_SIZE,
  HEADER_SIZE,
  INFO_FRE_TYPE,
  ROW_MANGLED_RA,
  dataWordCount,
  dataWordSizeCode,
} from '../unwinder/sframe/format.js';
import { flagNames } from '../unwinder/sframe/dump.js';
import type { SFrameSection } from '../unwinder/sframe/section.js';
import { CfaBase, RecoverKind } from '../unwinder/unwind-rule.js';
import type { DwarfTable, FileTables } from './read-tables.js';

/** Sizes are in bytes; a record maps what is counted to how often it occurs. */
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
    /** Between and after the sub-sections, and rows that no function names. */
    readonly unused: number;
  };
  readonly functions: {
    readonly count: number;
    /** Text covered, each function by itself. */
    readonly text: number;
    readonly types: Counts;
    readonly pcTypes: Counts;
    readonly signalFrames: number;
    readonly keyB: number;
    readonly outermost: number;
    /** Size of row starts, in bytes. */
    readonly startSizes: Counts;
    readonly rowsPerFunction: Distribution;
    readonly textPerFunction: Distribution;
    /** Table bytes per function, entry and rows. */
    readonly bytesPerFunction: Distribution;
  };
  readonly rows: {
    readonly count: number;
    readonly cfaBase: Counts;
    readonly ra: Counts;
    readonly fp: Counts;
    readonly mangled: number;
    /** Number of data words. */
    readonly dataWords: Counts;
    /** Size of a data word, in bytes; rows without any are not counted. */
    readonly dataWordSizes: Counts;
    readonly distinctRules: number;
  };
  /** What could be smaller without a change of meaning; the parts do not overlap. */
  readonly avoidable: {
    /** Rows that repeat the rule before them, or are hidden by the next. */
    readonly redundantRows: number;
    readonly redundantRowBytes: number;
    /** Starts wider than the function's highest start needs. */
    readonly wideStartBytes: number;
    /** Data words wider than their values need. */
    readonly wideDataBytes: number;
    /** Rows in MASK functions: what the repeated blocks cost. */
    readonly maskBytes: number;
    /** Functions whose rows equal those of an earlier one, byte for byte, and these rows' bytes. */
    readonly duplicateRowLists: number;
    readonly duplicateRowBytes: number;
  };
}

export type Counts = Readonly<Record<string, number>>;

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
      // Negative where functions share rows.
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

class Tally {
  private readonly map = new Map<string, number>();

  add(key: string | number): void {
    this.map.set(String(key), (this.map.get(String(key)) ?? 0) + 1);
  }

  /** Most frequent first. */
  counts(): Counts {
    return Object.fromEntries([...this.map].sort(([, a], [, b]) => b - a));
  }
}

class RowCounter {
  readonly types = new Tally();
  readonly pcTypes = new Tally();
  readonly startSizes = new Tally();
  readonly cfaBase = new Tally();
  readonly ra = new Tally();
  readonly fp = new Tally();
  readonly dataWords = new Tally();
  readonly dataWordSizes = new Tally();
  signalFrames = 0;
  keyB = 0;
  outermost = 0;
  mangled = 0;
  startBytes = 0;
  dataBytes = 0;
  redundantRows = 0;
  redundantRowBytes = 0;
  wideStartBytes = 0;
  wideDataBytes = 0;
  maskBytes = 0;
  duplicateRowLists = 0;
  duplicateRowBytes = 0;
  readonly bytesPerFunction: Uint32Array;
  private readonly view: DataView;
  private readonly rowLists = new Set<string>();

  constructor(private readonly section: SFrameSection) {
    const { buffer, byteOffset, byteLength } = section.bytes;
    this.view = new DataView(buffer, byteOffset, byteLength);
    this.bytesPerFunction = new Uint32Array(section.functions.count);
  }

  add(f: number): void {
    const { functions, rows, header, bytes } = this.section;
    const facts = functionFacts(this.section, f);
    this.types.add(facts.isFlex ? 'flex' : 'default');
    this.pcTypes.add(facts.isMask ? 'mask' : 'inc');
    if (facts.isSignalFrame) this.signalFrames++;
    if (facts.isKeyB) this.keyB++;
    const startSize = 1 << ((functions.info[f] as number) & INFO_FRE_TYPE);
    this.startSizes.add(startSize);
    const first = functions.firstRow[f] as number;
    const count = functions.rowCount[f] as number;
    if (count === 0 && header.version === 3 && !facts.isFlex) this.outermost++;

    let size = 0;
    let highest = 0;
    for (let row = first; row < first + count; row++) {
      highest = Math.max(highest, rows.start[row] as number);
      size += this.addRow(row, row === first ? -1 : row - 1, startSize);
    }
    this.startBytes += count * startSize;
    const needed = highest < 0x100 ? 1 : highest < 0x10000 ? 2 : 4;
    this.wideStartBytes += count * Math.max(0, startSize - needed);
    if (facts.isMask) this.maskBytes += size;
    const fixed = FDE_SIZE[header.version] + (header.version === 3 ? FDE_ATTRIBUTE_SIZE : 0);
    this.bytesPerFunction[f] = fixed + size;
    if (count === 0) return;
    const from = (rows.infoOffset[first] as number) - startSize;
    const list = `${startSize} ${Buffer.from(bytes.buffer, bytes.byteOffset + from, size).toString('latin1')}`;
    if (this.rowLists.has(list)) {
      this.duplicateRowLists++;
      this.duplicateRowBytes += size;
    }
    this.rowLists.add(list);
  }

  /** The bytes of the row, its start included. */
  private addRow(row: number, before: number, startSize: number): number {
    const { rows, rules } = this.section;
    const infoOffset = rows.infoOffset[row] as number;
    const info = this.view.getUint8(infoOffset);
    const words = dataWordCount(info);
    const wordSize = 1 << dataWordSizeCode(info);
    const size = startSize + 1 + words * wordSize;
    this.dataBytes += words * wordSize;
    this.dataWords.add(words);
    if (words > 0) this.dataWordSizes.add(wordSize);
    if ((info & ROW_MANGLED_RA) !== 0) this.mangled++;
    const rule = rows.rule[row] as number;
    const isOutermost = rules.raKind[rule] === RecoverKind.UNDEFINED;
    this.cfaBase.add(isOutermost ? 'none' : baseName(rules.cfaBase[rule] as CfaBase));
    this.ra.add(recoverName(rules.raKind[rule] as RecoverKind));
    if (!isOutermost) this.fp.add(recoverName(rules.fpKind[rule] as RecoverKind));
    const isRedundant =
      before >= 0 && (rows.rule[before] === rule || rows.start[before] === rows.start[row]);
    if (isRedundant) {
      this.redundantRows++;
      this.redundantRowBytes += size;
    } else {
      this.wideDataBytes += words * (wordSize - this.neededWord(infoOffset, words, wordSize));
    }
    return size;
  }

  /** The smallest size that holds every word, taken as signed. */
  private neededWord(infoOffset: number, words: number, wordSize: number): number {
    if (wordSize === 1) return 1;
    let needed = 1;
    for (let i = 0; i < words; i++) {
      const at = infoOffset + 1 + i * wordSize;
      const value = wordSize === 2 ? this.view.getInt16(at, true) : this.view.getInt32(at, true);
      if (value < -0x8000 || value > 0x7fff) return 4;
      if (value < -0x80 || value > 0x7f) needed = 2;
    }
    return needed;
  }
}

function baseName(base: CfaBase): string {
  return base === CfaBase.SP ? 'sp' : base === CfaBase.FP ? 'fp' : 'register';
}

function recoverName(kind: RecoverKind): string {
  switch (kind) {
    case RecoverKind.UNCHANGED:
      return 'unchanged';
    case RecoverKind.LOAD_CFA:
      return 'saved';
    case RecoverKind.UNDEFINED:
      return 'undefined';
    case RecoverKind.VALUE_CFA:
      return 'cfa value';
    case RecoverKind.VALUE_REG:
      return 'register';
    case RecoverKind.LOAD_REG:
      return 'saved at register';
  }
}

function distribution(values: Uint32Array): Distribution {
  const sorted = values.slice().sort();
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  const sum = sorted.reduce((total, value) => total + value, 0);
  const mean = sorted.length === 0 ? 0 : Math.round((sum / sorted.length) * 100) / 100;
  return { min: at(0), median: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1), mean };
}
