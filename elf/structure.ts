import elfy, { type Header, type Program, type Section } from 'elfy';
import type { ElfError } from './error.js';
import { type FileBytes, bytesInMemory } from './file-bytes.js';
import { EHDR_SIZE, PHDR_SIZE, SHDR_SIZE } from './format.js';
import { checkHeader, checkSectionHeader, malformed } from './header.js';
import type { HeaderTable } from './header-table.js';
import { readSections } from './sections.js';
import { readSegments, type Segments } from './segments.js';
import type { ElfSection } from './types.js';
import { fail, ok, type Result } from '../base/result.js';

/** Segments and sections of a file whose every bound has been checked. */
export interface ElfStructure {
  readonly segments: Segments;
  readonly sections: readonly ElfSection[];
}

/**
 * The structure of a file: elfy reads it once the bounds that elfy relies on are checked. elfy wants a
 * whole file, and is given one that ends behind the header tables: data is read apart, when it is used.
 */
export function readStructure(path: string, file: FileBytes): Result<ElfStructure, ElfError> {
  const head = Buffer.from(file.read(0, EHDR_SIZE));
  const problem = checkHeader(path, head, file.size);
  if (problem !== undefined) return fail(problem);
  const raw = readTables(path, file, head);
  if (!raw.ok) return raw;
  const { programs, sections } = raw.value;
  const segments = readSegments(path, file, programs, raw.value.rawPrograms);
  if (!segments.ok) return segments;
  const named = readSections(
    path,
    file,
    sections,
    raw.value.header.shstrndx,
    raw.value.rawSections,
  );
  if (!named.ok) return named;
  return ok({ segments: segments.value, sections: named.value });
}

/** The sections alone, also of a relocatable object, which has no segments. */
export function readSectionStructure(
  path: string,
  bytes: Buffer,
): Result<readonly ElfSection[], ElfError> {
  const file = bytesInMemory(bytes);
  const head = Buffer.from(file.read(0, EHDR_SIZE));
  const problem = checkSectionHeader(path, head, file.size);
  if (problem !== undefined) return fail(problem);
  const raw = readTables(path, file, head);
  if (!raw.ok) return raw;
  const { sections, header, rawSections } = raw.value;
  return readSections(path, file, sections, header.shstrndx, rawSections);
}

interface Tables {
  readonly header: Header;
  readonly programs: HeaderTable;
  readonly sections: HeaderTable;
  readonly rawPrograms: readonly Program[];
  readonly rawSections: readonly Section[];
}

function readTables(path: string, file: FileBytes, head: Buffer): Result<Tables, ElfError> {
  const phoff = Number(head.readBigUInt64LE(32));
  const phnum = phoff === 0 ? 0 : head.readUInt16LE(56);
  const programs = readTable(file, phoff, phnum, PHDR_SIZE);
  const shoff = Number(head.readBigUInt64LE(40));
  const sections = readTable(file, shoff, shoff === 0 ? 0 : head.readUInt16LE(60), SHDR_SIZE);
  const raw = readWithElfy(path, compactFile(head, programs.bytes, sections.bytes));
  if (!raw.ok) return raw;
  const { header, programs: rawPrograms, sections: rawSections } = raw.value;
  return ok({ header, programs, sections, rawPrograms, rawSections });
}

function readTable(file: FileBytes, offset: number, count: number, size: number): HeaderTable {
  return { bytes: file.read(offset, count * size), offset };
}

function compactFile(head: Buffer, programs: Buffer, sections: Buffer): Buffer {
  const compact = Buffer.concat([head, programs, sections]);
  compact.writeBigUInt64LE(programs.length === 0 ? 0n : BigInt(EHDR_SIZE), 32);
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
