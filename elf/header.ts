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
} from './format.js';
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
  const problem =
    checkIdent(path, head, file.size) ??
    checkFileHeader(path, head, wanted) ??
    checkTables(path, head, file.size, wanted);
  if (problem !== undefined) return fail(problem);
  const places = [placeOf(head, PROGRAM_TABLE), placeOf(head, SECTION_TABLE)] as const;
  const tables = readHeaderTables(path, file, head, ...places);
  if (!tables.ok) return tables;
  return ok({
    ...tables.value,
    type: TYPES.get(head.readUInt16LE(16)) ?? 'dyn',
    entry: addressFromBigInt(head.readBigUInt64LE(24)),
    namesIndex: head.readUInt16LE(62),
  });
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

function placeOf(head: Buffer, { offsetAt, countAt }: TableKind): TablePlace {
  const offset = Number(head.readBigUInt64LE(offsetAt));
  return { offset, count: offset === 0 ? 0 : head.readUInt16LE(countAt) };
}

function checkIdent(path: string, head: Buffer, size: number): Problem {
  const ident = { path, field: 'e_ident[EI_MAG]', offset: 0 };
  const magic = head.subarray(0, 4);
  if (magic.length === 0) return { ...ident, kind: 'not-elf', found: 'missing, the file is empty' };
  if (!Buffer.from([0x7f, 0x45, 0x4c, 0x46]).subarray(0, magic.length).equals(magic)) {
    // The magic number of an arm64 Image is at 56: Documentation/arch/arm64/booting.rst.
    if (head.toString('latin1', 56, 60) === 'ARM\x64') {
      return { path, field: 'magic', offset: 56, kind: 'boot-image' };
    }
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

function checkTables(path: string, head: Buffer, size: number, wanted: 'linked' | 'any'): Problem {
  const programs = placeOf(head, PROGRAM_TABLE);
  const sections = placeOf(head, SECTION_TABLE);
  if (programs.count === 0 && wanted === 'linked') {
    return { path, field: 'e_phnum', offset: 56, kind: 'no-load-segment' };
  }
  if (head.readUInt16LE(56) === PN_XNUM) {
    return malformed(path, 'e_phnum', 56, 'extended numbering (PN_XNUM) is not supported');
  }
  if (sections.count === 0 && sections.offset !== 0) {
    return malformed(path, 'e_shnum', 60, 'extended section numbering is not supported');
  }
  const problem = checkTable(path, head, size, PROGRAM_TABLE);
  if (problem !== undefined || sections.count === 0) return problem;
  const names = head.readUInt16LE(62);
  if (names >= sections.count) {
    const reason = `section ${names} does not exist, the file has ${sections.count}`;
    return malformed(path, 'e_shstrndx', 62, reason);
  }
  return checkTable(path, head, size, SECTION_TABLE);
}

function checkTable(path: string, head: Buffer, size: number, kind: TableKind): Problem {
  const { count } = placeOf(head, kind);
  if (count === 0) return undefined;
  const entry = head.readUInt16LE(kind.entrySizeAt);
  if (entry !== kind.entrySize) {
    const reason = `is ${entry}, expected ${kind.entrySize}`;
    return malformed(path, kind.entrySizeField, kind.entrySizeAt, reason);
  }
  const offset = head.readBigUInt64LE(kind.offsetAt);
  return checkRange(path, size, kind.name, offset, BigInt(count * kind.entrySize));
}
