import { addressFromWords } from '../base/address.js';
import type { ElfError } from './error.js';
import { type FileBytes, bytesInMemory, openFile } from './file-bytes.js';
import { EHDR_SIZE, ET_EXEC, SHF_ALLOC, SHT_GNU_SFRAME } from './format.js';
import { malformed } from './header.js';
import { relocate } from './relocations.js';
import { readStructure, type ElfStructure } from './structure.js';
import { readSymbols } from './image-symbols.js';
import type { ElfImage, ElfSection } from './types.js';
import { fail, ok, type Result } from '../base/result.js';

export type { ElfImage, ElfSection, ElfSegment, ElfSymbol, LoadedSegment } from './types.js';

/**
 * Loads a linked AArch64 ELF file, plain or gzip-compressed (recognised by its contents). Of a plain
 * file only headers, symbols and what is used later are read.
 * Never throws: whatever the bytes are, the answer is an image or one {@link ElfError}.
 */
export function loadElf(path: string): Result<ElfImage, ElfError> {
  const file = openFile(path);
  return file.ok ? parseFile(path, file.value) : file;
}

/**
 * As {@link loadElf}, from bytes already in memory; `path` only appears in errors. The
 * image keeps views of `bytes`, which must not change.
 */
export function parseElf(path: string, bytes: Uint8Array): Result<ElfImage, ElfError> {
  return parseFile(path, bytesInMemory(bytes));
}

function parseFile(path: string, file: FileBytes): Result<ElfImage, ElfError> {
  const structure = readStructure(path, file);
  if (!structure.ok) return structure;
  const { sections } = structure.value;
  const segments = structure.value.segments.load;
  const symbols = readSymbols(path, sections);
  if (!symbols.ok) return symbols;

  const head = file.read(0, EHDR_SIZE);
  const type = head.readUInt16LE(16) === ET_EXEC ? 'exec' : 'dyn';
  return ok({
    path,
    type,
    entry: addressFromWords(head.readUInt32LE(24), head.readUInt32LE(28)),
    segments,
    sections,
    ...symbols.value,
    sframe: sframeSections(structure.value),
    section: (name) => sections.find((section) => section.name === name),
    read: (offset, length) => file.read(offset, length),
    applyRelocations: (bias = 0, others = 'refuse') => {
      if (!Number.isSafeInteger(bias) || (type === 'exec' && bias !== 0)) {
        const reason = `an image of type ${type} cannot be moved by ${bias} bytes`;
        return fail(malformed(path, 'e_type', 16, reason));
      }
      return relocate(path, segments, sections, bias, others);
    },
  });
}

/** Binutils before 2.45 gave .sframe the type SHT_PROGBITS, so the name counts as well. */
function sframeSections({ sections, segments }: ElfStructure): readonly ElfSection[] {
  const found = sections.filter(
    (section) =>
      (section.type === SHT_GNU_SFRAME || section.name === '.sframe') &&
      (section.flags & SHF_ALLOC) !== 0 &&
      section.data.length > 0,
  );
  return found.length > 0 ? found : segments.sframe;
}
