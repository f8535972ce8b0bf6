/**
 * An ELF file that can be executed: it adds segments, and relocated memory for them, to what every
 * file has. Kernels, scenarios and users' programs are all loaded by `loadElf`.
 */
import { fail, ok, type Result } from '../base/result.js';
import { type OtherRelocations, relocate } from './dynamic-relocations.js';
import { type ElfError, malformed } from './error.js';
import type { ElfFile } from './file.js';
import { bytesInMemory, type FileBytes } from './file-bytes.js';
import { readHeader } from './header.js';
import { openFile } from './open-file.js';
import { checkHasCode, isDwarfFrame, isSFrame, readSections, sectionNamed } from './sections.js';
import { type ElfSegment, type LoadedSegment, readSegments } from './segments.js';
import { readSymbols } from './symbols.js';

/** A linked little-endian AArch64 ELF file, or an object that has been laid out like one. */
export interface ElfImage extends ElfFile {
  /** PT_LOAD segments in ascending address order. At least one; they do not overlap. */
  readonly segments: readonly ElfSegment[];
  /**
   * Fresh memory for every segment, moved by `bias` bytes (default 0), with
   * R_AARCH64_RELATIVE (RELA) and RELR relocations applied. Needed for bias 0, too: until then
   * the relocated words of a position-independent vmlinux are zero.
   * @param others what becomes of relocations of other types, which a dynamic linker resolves
   */
  applyRelocations(
    bias?: number,
    others?: OtherRelocations,
  ): Result<readonly LoadedSegment[], ElfError>;
}

/**
 * Loads a linked AArch64 ELF file, plain or compressed (see {@link openFile}). It is read lazily:
 * headers and symbols now, the rest on first use. Never throws: whatever the bytes are, the result
 * is an image or one {@link ElfError}.
 */
export function loadElf(path: string): Result<ElfImage, ElfError> {
  const file = openFile(path);
  return file.ok ? parseImage(path, file.value) : file;
}

/**
 * As {@link loadElf}, from bytes already in memory. The image keeps views of `bytes`, which must
 * not change.
 * @param path appears only in errors
 */
export function parseElf(path: string, bytes: Uint8Array): Result<ElfImage, ElfError> {
  return parseImage(path, bytesInMemory(bytes));
}

function parseImage(path: string, file: FileBytes): Result<ElfImage, ElfError> {
  const header = readHeader(path, file, 'linked');
  if (!header.ok) return header;
  const { type, entry, programs } = header.value;
  const codeless = checkHasCode(path, header.value);
  if (codeless !== undefined) return fail(codeless);
  const segments = readSegments(path, file, programs);
  if (!segments.ok) return segments;
  const named = readSections(path, file, header.value);
  if (!named.ok) return named;
  const sections = named.value;
  const symbols = readSymbols(path, sections, 'linked');
  if (!symbols.ok) return symbols;

  const { load, sframe: sframeSegments } = segments.value;
  const sframe = sections.filter(isSFrame);
  return ok({
    path,
    type,
    entry,
    segments: load,
    sections,
    ...symbols.value,
    sframe: sframe.length > 0 ? sframe : sframeSegments,
    dwarfFrames: sections.filter(isDwarfFrame),
    section: sectionNamed(sections),
    read: (offset, length) => file.read(offset, length),
    applyRelocations: (bias = 0, others = 'refuse') => {
      if (!Number.isSafeInteger(bias) || (type === 'exec' && bias !== 0)) {
        const reason = `an image of type ${type} cannot be moved by ${bias} bytes`;
        return fail(malformed(path, 'e_type', 16, reason));
      }
      return relocate(path, load, sections, bias, others);
    },
  });
}
