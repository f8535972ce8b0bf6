import type { ElfError } from './elf-error.js';
import type { ElfImage } from './elf-types.js';
import type { Result } from './result.js';

export type { ElfImage, ElfSection, ElfSegment, ElfSymbol, LoadedSegment } from './elf-types.js';

export declare function loadElf(path: string): Result<ElfImage, ElfError>;
