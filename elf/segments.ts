import type { Program } from 'elfy';
import { addressFromWords, type Address } from '../base/address.js';
import type { ElfError } from './error.js';
import type { FileBytes } from './file-bytes.js';
import { PHDR_SIZE, PT_GNU_SFRAME, PT_LOAD } from './format.js';
import { checkRange, malformed } from './header.js';
import { LazyBytes } from './lazy-bytes.js';
import type { HeaderTable } from './header-table.js';
import type { ElfSection, ElfSegment } from './types.js';
import { fail, ok, type Result } from '../base/result.js';

/** Limit on the memory of all segments together, in bytes. */
export const MAX_MEMORY = 2 ** 30;

type Problem = ElfError | undefined;

/** What the program headers describe. */
export interface Segments {
  /** PT_LOAD, by rising address, without overlap, not empty. */
  readonly load: readonly ElfSegment[];
  /** PT_GNU_SFRAME as if it were a section: all that is left when section headers are not. */
  readonly sframe: readonly ElfSection[];
}

/**
 * The program headers (gABI chapter 5). `programs` comes from elfy, whose 64-bit words are
 * rounded: sizes are checked, and addresses read, in the table itself.
 */
export function readSegments(
  path: string,
  file: FileBytes,
  table: HeaderTable,
  programs: readonly Program[],
): Result<Segments, ElfError> {
  const reader = new SegmentReader(path, file, table);
  for (const [i, program] of programs.entries()) {
    const problem = reader.add(program, i, i * PHDR_SIZE);
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
    private readonly table: HeaderTable,
  ) {}

  add(program: Program, index: number, at: number): Problem {
    const type = this.table.bytes.readUInt32LE(at);
    if (type !== PT_LOAD && type !== PT_GNU_SFRAME) return undefined;
    const address = addressFromWords(
      this.table.bytes.readUInt32LE(at + 16),
      this.table.bytes.readUInt32LE(at + 20),
    );
    const problem = this.checkAddress(address, index, at) ?? this.checkSizes(address, index, at);
    if (problem !== undefined) return problem;
    // objcopy --remove-section leaves the header of what it removes, with a size of 0.
    if (program.memsz === 0) return undefined;
    if (type === PT_GNU_SFRAME) this.sframe.push(sframeSection(this.file, program, address));
    else this.load.push(loadSegment(this.file, program, address));
    return undefined;
  }

  /** Sorts by address; segments that overlap are refused: which bytes win is not defined. */
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

  private checkAddress(address: Address, index: number, at: number): Problem {
    if (Number.isSafeInteger(address)) return undefined;
    const value = `0x${this.table.bytes.readBigUInt64LE(at + 16).toString(16)}`;
    const reason = `${value} is not a virtual address`;
    return malformed(this.path, `p_vaddr[${index}]`, this.table.offset + at + 16, reason);
  }

  private checkSizes(address: Address, index: number, at: number): Problem {
    const { path } = this;
    const { bytes: file, offset: tableOffset } = this.table;
    const fileSize = file.readBigUInt64LE(at + 32);
    const memorySize = file.readBigUInt64LE(at + 40);
    const data = `the data of program header ${index}`;
    const problem = checkRange(path, this.file.size, data, file.readBigUInt64LE(at + 8), fileSize);
    if (problem !== undefined) return problem;

    const place = { path, field: `p_memsz[${index}]`, offset: tableOffset + at + 40 };
    if (memorySize < fileSize) {
      const reason = `is ${memorySize}, less than p_filesz ${fileSize}`;
      return { ...place, kind: 'malformed', reason };
    }
    this.memory += memorySize;
    if (this.memory > MAX_MEMORY) {
      const [value, limit] = [`${memorySize} bytes`, `${MAX_MEMORY} bytes for all segments`];
      return { ...place, kind: 'too-large', value, limit };
    }
    const end = address + Number(memorySize);
    if (Number.isSafeInteger(end) && (address >= 0 || end <= 0)) return undefined;
    const reason = 'the segment runs over the end of the address space';
    return malformed(path, `p_vaddr[${index}]`, tableOffset + at + 16, reason);
  }
}

function loadSegment(file: FileBytes, program: Program, address: Address): ElfSegment {
  const bytes = new LazyBytes(file, program.offset, program.filesz);
  return {
    address,
    memorySize: program.memsz,
    get data() {
      return bytes.data;
    },
    readable: program.flags.r === true,
    writable: program.flags.w === true,
    executable: program.flags.x === true,
  };
}

function sframeSection(file: FileBytes, program: Program, address: Address): ElfSection {
  const bytes = new LazyBytes(file, program.offset, program.filesz);
  return {
    name: '.sframe',
    address,
    size: program.filesz,
    get data() {
      return bytes.data;
    },
    offset: program.offset,
    type: PT_GNU_SFRAME,
    flags: 0,
    link: 0,
  };
}
