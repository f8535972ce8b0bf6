/**
 * The entries of the program and section header tables (gABI chapters 4 and 5), as they are in the
 * file: only the bounds of the tables have been checked. elfy reads them, except for the 64-bit
 * words, which it would round.
 */
import elfy, { type Program, type Section } from 'elfy';
import { type ElfError, malformed } from './error.js';
import type { FileBytes } from './file-bytes.js';
import { PHDR_SIZE, SHDR_SIZE } from './format.js';
import { fail, ok, type Result } from '../base/result.js';

/** Where a table lies: `count` entries, the first one `offset` bytes into the file. */
export interface TablePlace {
  readonly offset: number;
  readonly count: number;
}

/** One entry of the program header table. */
export interface ProgramHeader {
  /** Where the entry itself lies in the file, in bytes. */
  readonly at: number;
  /** p_type. */
  readonly type: number;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly executable: boolean;
  /** p_offset. */
  readonly offset: bigint;
  /** p_vaddr, unsigned. */
  readonly address: bigint;
  /** p_filesz in bytes. */
  readonly fileSize: bigint;
  /** p_memsz in bytes. */
  readonly memorySize: bigint;
}

/** One entry of the section header table. */
export interface SectionHeader {
  /** Where the entry itself lies in the file, in bytes. */
  readonly at: number;
  /** sh_name: offset of the name in the section header string table. */
  readonly name: number;
  /** sh_type. */
  readonly type: number;
  /** The low 32 bits of sh_flags. */
  readonly flags: number;
  /** sh_addr, unsigned. */
  readonly address: bigint;
  /** sh_offset. */
  readonly offset: bigint;
  /** sh_size in bytes. */
  readonly size: bigint;
  /** sh_link. */
  readonly link: number;
  /** sh_info. */
  readonly info: number;
  /** sh_addralign. */
  readonly alignment: bigint;
}

/** The entries of both tables. */
export interface HeaderTables {
  readonly programs: readonly ProgramHeader[];
  readonly sections: readonly SectionHeader[];
}

/** Reads both tables. @param head the ELF header; e_phentsize and e_shentsize have been checked */
export function readHeaderTables(
  path: string,
  file: FileBytes,
  head: Buffer,
  programs: TablePlace,
  sections: TablePlace,
): Result<HeaderTables, ElfError> {
  const programTable = file.read(programs.offset, programs.count * PHDR_SIZE);
  const sectionTable = file.read(sections.offset, sections.count * SHDR_SIZE);
  const raw = readWithElfy(path, head, programTable, sectionTable);
  if (!raw.ok) return raw;
  return ok({
    programs: raw.value.programs.map(({ flags }, i): ProgramHeader => {
      const at = i * PHDR_SIZE;
      return {
        at: programs.offset + at,
        type: programTable.readUInt32LE(at),
        readable: flags.r === true,
        writable: flags.w === true,
        executable: flags.x === true,
        offset: programTable.readBigUInt64LE(at + 8),
        address: programTable.readBigUInt64LE(at + 16),
        fileSize: programTable.readBigUInt64LE(at + 32),
        memorySize: programTable.readBigUInt64LE(at + 40),
      };
    }),
    sections: raw.value.sections.map(({ name, link, info }, i): SectionHeader => {
      const at = i * SHDR_SIZE;
      return {
        at: sections.offset + at,
        name,
        type: sectionTable.readUInt32LE(at + 4),
        flags: sectionTable.readUInt32LE(at + 8),
        address: sectionTable.readBigUInt64LE(at + 16),
        offset: sectionTable.readBigUInt64LE(at + 24),
        size: sectionTable.readBigUInt64LE(at + 32),
        link,
        info,
        alignment: sectionTable.readBigUInt64LE(at + 48),
      };
    }),
  });
}

interface RawTables {
  readonly programs: readonly Program[];
  readonly sections: readonly Section[];
}

/**
 * elfy expects a whole file, so it gets a short one that ends after the header tables. elfy.parse()
 * is not used: it asserts that a section name table exists, and takes quadratic time for names that
 * are not terminated.
 */
function readWithElfy(
  path: string,
  head: Buffer,
  programs: Buffer,
  sections: Buffer,
): Result<RawTables, ElfError> {
  try {
    const parser = new elfy.Parser();
    const header = {
      ...parser.parseHeader(head),
      phoff: head.length,
      phnum: programs.length / PHDR_SIZE,
      shoff: head.length + programs.length,
      shnum: sections.length / SHDR_SIZE,
    };
    return ok(parser.parseBody(Buffer.concat([head, programs, sections]), header));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return fail(malformed(path, 'ELF header', 0, `elfy: ${reason}`));
  }
}
