import elfy, { type Header, type Program, type Section } from 'elfy';
import type { ElfError } from './elf-error.js';
import { checkHeader, checkSectionHeader, malformed } from './elf-header.js';
import { readSections } from './elf-sections.js';
import { readSegments, type Segments } from './elf-segments.js';
import type { ElfSection } from './elf-types.js';
import { fail, ok, type Result } from './result.js';

/** Segments and sections of a file whose every bound has been checked. */
export interface ElfStructure {
  readonly segments: Segments;
  readonly sections: readonly ElfSection[];
}

/** The structure of a file: elfy reads it once the bounds that elfy relies on are checked. */
export function readStructure(path: string, file: Buffer): Result<ElfStructure, ElfError> {
  const problem = checkHeader(path, file);
  if (problem !== undefined) return fail(problem);
  const raw = readWithElfy(path, file);
  if (!raw.ok) return raw;

  const segments = readSegments(path, file, raw.value.header, raw.value.programs);
  if (!segments.ok) return segments;
  const sections = readSections(path, file, raw.value.header, raw.value.sections);
  if (!sections.ok) return sections;
  return ok({ segments: segments.value, sections: sections.value });
}

/** The sections alone, also of a relocatable object, which has no segments. */
export function readSectionStructure(
  path: string,
  file: Buffer,
): Result<readonly ElfSection[], ElfError> {
  const problem = checkSectionHeader(path, file);
  if (problem !== undefined) return fail(problem);
  const raw = readWithElfy(path, file);
  if (!raw.ok) return raw;
  return readSections(path, file, raw.value.header, raw.value.sections);
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
