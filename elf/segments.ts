/** The segments of a linked ELF file (gABI chapter 5): what is loaded, where, and how protected. */
import { addressFromBigInt, type Address } from '../base/address.js';
import { fail, ok, type Result } from '../base/result.js';
import { checkRange, type ElfError, malformed } from './error.js';
import { type FileBytes, LazyBytes } from './file-bytes.js';
import { PT_GNU_SFRAME, PT_LOAD, SHF_ALLOC } from './format.js';
import type { ProgramHeader } from './header-tables.js';
import { type ElfSection, MAX_TABLE } from './sections.js';

/** One segment as it lies in memory. */
export interface LoadedSegment {
  /** Linked address of the first byte, plus the bias. */
  readonly address: Address;
  /** p_memsz bytes, a private copy: the relocated file contents, then zeroes. */
  readonly data: Uint8Array;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly executable: boolean;
}

/** One PT_LOAD program header. */
export interface ElfSegment extends LoadedSegment {
  /** The p_filesz bytes in the file, read-only. Relocations are not applied. */
  readonly data: Uint8Array;
  /** p_memsz in bytes; the memory beyond `data` is zero. */
  readonly memorySize: number;
}

/** Limit on the memory of all segments together, in bytes. */
const MAX_MEMORY = 2 ** 30;

type Problem = ElfError | undefined;

/** The segments that the program headers describe. */
export interface Segments {
  /** PT_LOAD segments in ascending address order, without overlap. Not empty. */
  readonly load: readonly ElfSegment[];
  /** PT_GNU_SFRAME as a section, for files whose section headers were removed. */
  readonly sframe: readonly ElfSection[];
}

/** Reads the segments, after checking the sizes and addresses in all program headers. */
export function readSegments(
  path: string,
  file: FileBytes,
  headers: readonly ProgramHeader[],
): Result<Segments, ElfError> {
  const reader = new SegmentReader(path, file);
  for (const [i, header] of headers.entries()) {
    const problem = reader.add(header, i);
    if (problem !== undefined) return fail(problem);
  }
  const problem = reader.order();
  return problem === undefined ? ok({ load: reader.load, sframe: reader.sframe }) : fail(problem);
}

class SegmentReader {
  readonly load: ElfSegment[] = [];
  readonly sframe: ElfSection[] = [];
  private memory = 0n;

  constructor(
    private readonly path: string,
    private readonly file: FileBytes,
  ) {}

  add(header: ProgramHeader, index: number): Problem {
    if (header.type !== PT_LOAD && header.type !== PT_GNU_SFRAME) return undefined;
    const address = addressFromBigInt(header.address);
    const problem =
      this.checkAddress(header, address, index) ?? this.checkSizes(header, address, index);
    if (problem !== undefined) return problem;
    // objcopy --remove-section leaves the program header of the section, with a size of 0.
    if (header.memorySize === 0n) return undefined;
    if (header.type === PT_GNU_SFRAME) this.sframe.push(sframeSection(this.file, header, address));
    else this.load.push(loadSegment(this.file, header, address));
    return undefined;
  }

  /** Sorts by address. Overlapping segments are refused: which one wins is undefined. */
  order(): Problem {
    if (this.load.length === 0) {
      return { path: this.path, field: 'e_phnum', offset: 56, kind: 'no-load-segment' };
    }
    this.load.sort((a, b) => a.address - b.address);
    let end = -Infinity;
    for (const { address, memorySize } of this.load) {
      if (address < end) {
        return malformed(this.path, 'program header table', 64, 'PT_LOAD segments overlap');
      }
      end = address + memorySize;
    }
    return undefined;
  }

  private checkAddress(header: ProgramHeader, address: Address, index: number): Problem {
    if (Number.isSafeInteger(address)) return undefined;
    const reason = `0x${header.address.toString(16)} is not a virtual address`;
    return malformed(this.path, `p_vaddr[${index}]`, header.at + 16, reason);
  }

  private checkSizes(header: ProgramHeader, address: Address, index: number): Problem {
    const { path } = this;
    const { at, offset, fileSize, memorySize } = header;
    const data = `the data of program header ${index}`;
    const problem = checkRange(path, this.file.size, data, offset, fileSize);
    if (problem !== undefined) return problem;

    const place = { path, field: `p_memsz[${index}]`, offset: at + 40 };
    if (memorySize < fileSize) {
      const reason = `is ${memorySize}, less than p_filesz ${fileSize}`;
      return { ...place, kind: 'malformed', reason };
    }
    if (header.type === PT_GNU_SFRAME && fileSize > MAX_TABLE) {
      const [value, limit] = [`${fileSize} bytes`, `${MAX_TABLE} bytes for an SFrame table`];
      return {
        path,
        field: `p_filesz[${index}]`,
        offset: at + 32,
        kind: 'too-large',
        value,
        limit,
      };
    }
    this.memory += memorySize;
    if (this.memory > MAX_MEMORY) {
      const [value, limit] = [`${memorySize} bytes`, `${MAX_MEMORY} bytes for all segments`];
      return { ...place, kind: 'too-large', value, limit };
    }
    const end = address + Number(memorySize);
    if (Number.isSafeInteger(end) && (address >= 0 || end <= 0)) return undefined;
    const reason = 'the segment runs over the end of the address space';
    return malformed(path, `p_vaddr[${index}]`, at + 16, reason);
  }
}

function loadSegment(file: FileBytes, header: ProgramHeader, address: Address): ElfSegment {
  const bytes = bytesOf(file, header);
  return {
    address,
    memorySize: Number(header.memorySize),
    get data() {
      return bytes.data;
    },
    readable: header.readable,
    writable: header.writable,
    executable: header.executable,
  };
}

function sframeSection(file: FileBytes, header: ProgramHeader, address: Address): ElfSection {
  const bytes = bytesOf(file, header);
  return {
    index: 0,
    name: '.sframe',
    address,
    size: Number(header.fileSize),
    get data() {
      return bytes.data;
    },
    offset: Number(header.offset),
    type: PT_GNU_SFRAME,
    flags: SHF_ALLOC,
    loaded: true,
    executable: false,
    link: 0,
    info: 0,
  };
}

function bytesOf(file: FileBytes, { offset, fileSize }: ProgramHeader): LazyBytes {
  return new LazyBytes(file, Number(offset), Number(fileSize));
}
