/**
 * The ELF header (gABI chapter 4). Each field is checked before what it points to is read. Whatever
 * the bytes are, the result is a header or one error.
 */
import { type Address, addressFromBigInt } from '../base/address.js';
import { fail, ok, type Result } from '../base/result.js';
import { checkRange, type ElfError, malformed } from './error.js';
import type { FileBytes } from './file-bytes.js';
import {
  EHDR_SIZE,
  EM_AARCH64,
  ET_DYN,
  ET_EXEC,
  ET_REL,
  machineName,
  PHDR_SIZE,
  PN_XNUM,
  SHDR_SIZE,
  SHN_XINDEX,
} from './format.js';
import { foreignFile, START_SIZE } from './file-kind.js';
import { type HeaderTables, readHeaderTables, type TablePlace } from './header-tables.js';

/** `exec` runs at a fixed address, `dyn` at any address; `rel` is an object for a linker. */
export type ElfType = 'exec' | 'dyn' | 'rel';

/** The ELF header, with the entries of both header tables. */
export interface ElfHeader extends HeaderTables {
  readonly type: ElfType;
  /** e_entry. */
  readonly entry: Address;
  /** e_shstrndx: the section of section names; 0 when there is none. */
  readonly namesIndex: number;
}

/** The e_type values that are accepted. */
const TYPES: ReadonlyMap<number, ElfType> = new Map([
  [ET_REL, 'rel'],
  [ET_EXEC, 'exec'],
  [ET_DYN, 'dyn'],
]);

type Problem = ElfError | undefined;

/** Where e_shstrndx is in the ELF header. */
const NAMES_INDEX_AT = 62;

/**
 * Reads the header and the header tables.
 * @param wanted `linked`: the file must have segments and must not be a relocatable object; `any`:
 * the file may be an object, or have no program headers
 */
export function readHeader(
  path: string,
  file: FileBytes,
  wanted: 'linked' | 'any',
): Result<ElfHeader, ElfError> {
  const head = Buffer.from(file.read(0, EHDR_SIZE));
  const foreign = checkIdent(path, file, head) ?? checkFileHeader(path, head, wanted);
  if (foreign !== undefined) return fail(foreign);
  const counts = readCounts(path, file, head);
  if (!counts.ok) return counts;
  const { programs, sections, namesIndex } = counts.value;
  const problem = checkTables(path, head, file.size, counts.value, wanted);
  if (problem !== undefined) return fail(problem);
  const tables = readHeaderTables(path, file, head, programs, sections);
  if (!tables.ok) return tables;
  return ok({
    ...tables.value,
    type: TYPES.get(head.readUInt16LE(16)) ?? 'dyn',
    entry: addressFromBigInt(head.readBigUInt64LE(24)),
    namesIndex,
  });
}

/**
 * What is wrong with a file that is not an AArch64 ELF one, by its start alone.
 * @param file at least the first {@link START_SIZE} bytes, where it has so many
 */
export function checkStart(path: string, file: FileBytes): ElfError | undefined {
  const head = Buffer.from(file.read(0, EHDR_SIZE));
  return checkIdent(path, file, head) ?? checkFileHeader(path, head, 'any');
}

/** One of the two tables: its name, and where the fields that describe it are in the ELF header. */
interface TableKind {
  readonly name: string;
  readonly offsetAt: number;
  readonly countAt: number;
  readonly entrySizeField: string;
  readonly entrySizeAt: number;
  /** The only valid size of an entry, in bytes. */
  readonly entrySize: number;
}

const PROGRAM_TABLE: TableKind = {
  name: 'program header table',
  offsetAt: 32,
  countAt: 56,
  entrySizeField: 'e_phentsize',
  entrySizeAt: 54,
  entrySize: PHDR_SIZE,
};
const SECTION_TABLE: TableKind = {
  name: 'section header table',
  offsetAt: 40,
  countAt: 60,
  entrySizeField: 'e_shentsize',
  entrySizeAt: 58,
  entrySize: SHDR_SIZE,
};

/** Where the two tables lie, and the section of section names. */
interface Counts {
  readonly programs: TablePlace;
  readonly sections: TablePlace;
  readonly namesIndex: number;
}

/**
 * Numbers that do not fit into the ELF header are in section header 0 (gABI chapter 4): its
 * sh_size, sh_link and sh_info. An object with a section for each function has more than fit.
 */
function readCounts(path: string, file: FileBytes, head: Buffer): Result<Counts, ElfError> {
  const offsetOf = ({ offsetAt }: TableKind): number => Number(head.readBigUInt64LE(offsetAt));
  const [programs, sections] = [offsetOf(PROGRAM_TABLE), offsetOf(SECTION_TABLE)];
  const programCount = programs === 0 ? 0 : head.readUInt16LE(PROGRAM_TABLE.countAt);
  const sectionCount = sections === 0 ? 0 : head.readUInt16LE(SECTION_TABLE.countAt);
  const names = head.readUInt16LE(NAMES_INDEX_AT);
  const isExtended =
    programCount === PN_XNUM || (sections !== 0 && (sectionCount === 0 || names === SHN_XINDEX));
  if (!isExtended) {
    return ok({
      programs: { offset: programs, count: programCount },
      sections: { offset: sections, count: sectionCount },
      namesIndex: sectionCount === 0 ? 0 : names,
    });
  }
  const first = { offset: sections, count: 1 };
  if (sections === 0) {
    const reason = 'is PN_XNUM, but there is no section header 0 with the number';
    return fail(malformed(path, 'e_phnum', PROGRAM_TABLE.countAt, reason));
  }
  const problem = checkTable(path, head, file.size, SECTION_TABLE, first);
  if (problem !== undefined) return fail(problem);
  const zero = Buffer.from(file.read(sections, SHDR_SIZE));
  const count = sectionCount === 0 ? Number(zero.readBigUInt64LE(32)) : sectionCount;
  if (count === 0) {
    const reason = 'is 0, and so is the number in section header 0';
    return fail(malformed(path, 'e_shnum', SECTION_TABLE.countAt, reason));
  }
  return ok({
    programs: {
      offset: programs,
      count: programCount === PN_XNUM ? zero.readUInt32LE(44) : programCount,
    },
    sections: { offset: sections, count },
    namesIndex: names === SHN_XINDEX ? zero.readUInt32LE(40) : names,
  });
}

function checkIdent(path: string, file: FileBytes, head: Buffer): Problem {
  const { size } = file;
  const ident = { path, field: 'e_ident[EI_MAG]', offset: 0 };
  const magic = head.subarray(0, 4);
  if (magic.length === 0) return { ...ident, kind: 'not-elf', found: 'missing, the file is empty' };
  if (!Buffer.from([0x7f, 0x45, 0x4c, 0x46]).subarray(0, magic.length).equals(magic)) {
    const foreign = foreignFile(path, file.read(0, START_SIZE));
    if (foreign !== undefined) return foreign;
    const found = [...magic].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    return { ...ident, kind: 'not-elf', found };
  }
  const whole = { path, field: 'ELF header', offset: 0 };
  if (head.length < 20) return { ...whole, kind: 'truncated', bytes: '64', fileSize: size };
  const bigEndian = head[5] === 2;
  const machine = bigEndian ? head.readUInt16BE(18) : head.readUInt16LE(18);
  if (head[4] === 1) {
    const field = 'e_ident[EI_CLASS]';
    return { path, field, offset: 4, kind: 'class-32', machine: machineName(machine) };
  }
  if (head[4] !== 2) return malformed(path, 'e_ident[EI_CLASS]', 4, `no such class: ${head[4]}`);
  if (bigEndian) return { path, field: 'e_ident[EI_DATA]', offset: 5, kind: 'big-endian' };
  if (head[5] !== 1) {
    return malformed(path, 'e_ident[EI_DATA]', 5, `no such data encoding: ${head[5]}`);
  }
  if (head.length < EHDR_SIZE) {
    return { ...whole, kind: 'truncated', bytes: `${EHDR_SIZE}`, fileSize: size };
  }
  return undefined;
}

function checkFileHeader(path: string, head: Buffer, wanted: 'linked' | 'any'): Problem {
  const machine = head.readUInt16LE(18);
  if (machine !== EM_AARCH64) {
    const place = { path, field: 'e_machine', offset: 18 };
    return { ...place, kind: 'machine', machine: machineName(machine) };
  }
  const place = { path, field: 'e_type', offset: 16 };
  const value = head.readUInt16LE(16);
  const type = TYPES.get(value);
  if (type === undefined) return { ...place, kind: 'file-type', type: value };
  return type === 'rel' && wanted === 'linked' ? { ...place, kind: 'relocatable' } : undefined;
}

/**
 * Limit on the entries of a table, each of which costs memory; the largest kernels have 100,000.
 */
const MAX_ENTRIES = 2 ** 22;

function checkTables(
  path: string,
  head: Buffer,
  size: number,
  { programs, sections, namesIndex }: Counts,
  wanted: 'linked' | 'any',
): Problem {
  if (programs.count === 0 && wanted === 'linked') {
    return { path, field: 'e_phnum', offset: 56, kind: 'no-load-segment' };
  }
  const problem = checkTable(path, head, size, PROGRAM_TABLE, programs);
  if (problem !== undefined || sections.count === 0) return problem;
  if (namesIndex >= sections.count) {
    const reason = `section ${namesIndex} does not exist, the file has ${sections.count}`;
    return malformed(path, 'e_shstrndx', NAMES_INDEX_AT, reason);
  }
  return checkTable(path, head, size, SECTION_TABLE, sections);
}

function checkTable(
  path: string,
  head: Buffer,
  size: number,
  kind: TableKind,
  { count }: TablePlace,
): Problem {
  if (count === 0) return undefined;
  const entry = head.readUInt16LE(kind.entrySizeAt);
  if (entry !== kind.entrySize) {
    const reason = `is ${entry}, expected ${kind.entrySize}`;
    return malformed(path, kind.entrySizeField, kind.entrySizeAt, reason);
  }
  if (count > MAX_ENTRIES) {
    const place = { path, field: kind.name, offset: kind.countAt };
    const [value, limit] = [`${count} entries`, `${MAX_ENTRIES}`];
    return { ...place, kind: 'too-large', value, limit };
  }
  const offset = head.readBigUInt64LE(kind.offsetAt);
  return checkRange(path, size, kind.name, offset, BigInt(count * kind.entrySize));
}
