import elfy, { type Header, type Program, type Section } from 'elfy';
import type { ElfError } from './elf-error.js';
import type { ElfFile } from './elf-file.js';
import { EHDR_SIZE, PHDR_SIZE, SHDR_SIZE } from './elf-format.js';
import { checkHeader, malformed } from './elf-header.js';
import { readSections } from './elf-sections.js';
import { readSegments, type Segments } from './elf-segments.js';
import type { ElfSection } from './elf-types.js';
import { fail, ok, type Result } from './result.js';

/** Segments and sections of a file whose every bound has been checked. */
export interface ElfStructure {
  readonly segments: Segments;
  readonly sections: readonly ElfSection[];
}

/** A header table of a file. */
export interface HeaderTable {
  readonly bytes: Buffer;
  /** Where in the file it lies. */
  readonly offset: number;
}

/**
 * The structure of a file: elfy reads it once the bounds that elfy relies on are checked. elfy wants a
 * whole file, and is given one that ends behind the header tables: data is read apart, when it is used.
 */
export function readStructure(path: string, file: ElfFile): Result<ElfStructure, ElfError> {
  const head = Buffer.from(file.read(0, EHDR_SIZE));
  const problem = checkHeader(path, head, file.size);
  if (problem !== undefined) return fail(problem);
  const programs = readTable(
    file,
    Number(head.readBigUInt64LE(32)),
    head.readUInt16LE(56),
    PHDR_SIZE,
  );
  const shoff = Number(head.readBigUInt64LE(40));
  const sections = readTable(file, shoff, shoff === 0 ? 0 : head.readUInt16LE(60), SHDR_SIZE);
  const raw = readWithElfy(path, compactFile(head, programs.bytes, sections.bytes));
  if (!raw.ok) return raw;

  const segments = readSegments(path, file, programs, raw.value.programs);
  if (!segments.ok) return segments;
  const named = readSections(path, file, sections, raw.value.header.shstrndx, raw.value.sections);
  if (!named.ok) return named;
  return ok({ segments: segments.value, sections: named.value });
}

function readTable(file: ElfFile, offset: number, count: number, size: number): HeaderTable {
  return { bytes: file.read(offset, count * size), offset };
}

function compactFile(head: Buffer, programs: Buffer, sections: Buffer): Buffer {
  const compact = Buffer.concat([head, programs, sections]);
  compact.writeBigUInt64LE(BigInt(EHDR_SIZE), 32);
  compact.writeBigUInt64LE(sections.length === 0 ? 0n : BigInt(EHDR_SIZE + programs.length), 40);
  return compact;
}

interface RawStructure {
  readonly header: Header;
  readonly programs: readonly Program[];
  readonly sections: readonly Section[];
}

/**
 * Not elfy.parse(): that asserts that a section name table exists, and takes time
 * quadratic in the file for names that are not terminated.
 */
function readWithElfy(path: string, file: Buffer): Result<RawStructure, ElfError> {
  try {
    const parser = new elfy.Parser();
    const header = parser.parseHeader(file);
    return ok({ header, ...parser.parseBody(file, header) });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return fail(malformed(path, 'ELF header', 0, `elfy: ${reason}`));
  }
}
