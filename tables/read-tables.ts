/** Reads a file and decodes its tables. Errors are one line. */

import { describeElfError } from '../elf/error.js';
import { type ElfFile, type ObjectLayout, parseElfFile, readElfFile } from '../elf/file.js';
import type { ElfSection } from '../elf/sections.js';
import { fail, ok, type Result } from '../base/result.js';
import { formatDwarfError } from '../unwinder/dwarf/error.js';
import { decodeDwarfFrames } from '../unwinder/dwarf/frames.js';
import type { DwarfFunction } from '../unwinder/dwarf/rows.js';
import { formatSFrameError } from '../unwinder/sframe/error.js';
import type { SFrameSection } from '../unwinder/sframe/section.js';
import { decodeSFrameTables } from '../unwinder/sframe/tables.js';

/** One decoded table of a `.sframe` section, which has more than one where lld linked it. */
export interface SFrameTable {
  /** The section's name; of a second table with its offset: `.sframe+0x50`. */
  readonly name: string;
  readonly section: SFrameSection;
}

/** One decoded `.eh_frame` or `.debug_frame` section. */
export interface DwarfTable {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly functions: readonly DwarfFunction[];
}

/** A file and its SFrame tables. */
export interface FileTables {
  readonly elf: ElfFile;
  readonly sframe: readonly SFrameTable[];
}

/** Reads a file, plain or compressed, and decodes every table of its `.sframe` sections. It may have none. */
export function readTables(path: string, layout?: ObjectLayout): Result<FileTables, string> {
  return decodeTables(path, readElfFile(path, layout));
}

/** {@link readTables} for bytes in memory. @param path for messages */
export function tablesOf(path: string, bytes: Uint8Array, layout?: ObjectLayout) {
  return decodeTables(path, parseElfFile(path, bytes, layout));
}

function decodeTables(path: string, elf: ReturnType<typeof readElfFile>) {
  if (!elf.ok) return fail(describeElfError(elf.error));
  const sframe: SFrameTable[] = [];
  for (const { name, data, address } of elf.value.sframe) {
    const decoded = decodeSFrameTables(data, address);
    if (!decoded.ok) return fail(`${path}: ${name}: ${formatSFrameError(decoded.error)}`);
    for (const { offset, table } of decoded.value) {
      sframe.push({ name: tableName(name, offset), section: table });
    }
  }
  return ok({ elf: elf.value, sframe });
}

function tableName(section: string, offset: number): string {
  return offset === 0 ? section : `${section}+0x${offset.toString(16)}`;
}

/** Decodes the `.eh_frame` and `.debug_frame` sections of a file. It may have none. */
export function readDwarf(elf: ElfFile): Result<readonly DwarfTable[], string> {
  const tables: DwarfTable[] = [];
  for (const section of elf.dwarfFrames) {
    const decoded = decodeDwarfFrames(section.data, section.address, formatOf(section));
    if (!decoded.ok) {
      return fail(`${elf.path}: ${section.name}: ${formatDwarfError(decoded.error)}`);
    }
    tables.push({ name: section.name, size: section.data.length, functions: decoded.value });
  }
  return ok(tables);
}

function formatOf({ name }: ElfSection): 'eh_frame' | 'debug_frame' {
  return name === '.debug_frame' ? 'debug_frame' : 'eh_frame';
}
