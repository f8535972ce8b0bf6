/** Counts the encodings of functions and rows, one function at a time. */

import { functionFacts } from '../unwinder/sframe/dump.js';
import {
  FDE_ATTRIBUTE_SIZE,
  FDE_SIZE,
  INFO_FRE_TYPE,
  ROW_MANGLED_RA,
  dataWordCount,
  dataWordSizeCode,
} from '../unwinder/sframe/format.js';
import type { SFrameSection } from '../unwinder/sframe/section.js';
import { CfaBase, RecoverKind } from '../unwinder/unwind-rule.js';

/** Numbers of occurrences, by name. */
export type Counts = Readonly<Record<string, number>>;

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

/** Sums over the functions that were added. Sizes are in bytes; the fields are those of SFrameStat. */
export class RowCounter {
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

  /** Count a function and its rows. @param f its index in the section */
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

  /** Count a row. @param before the row before it, or -1 @returns its size in bytes, with its start */
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

  /** The smallest word size, in bytes, that holds every word as a signed number. */
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
