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
import type { ElfError } from './error.js';

type Problem = ElfError | undefined;

/** Bounds of a table in the file: `count` entries of `size` bytes at `offset`. */
interface Table {
  readonly name: string;
  readonly offsetField: readonly [name: string, at: number];
  readonly sizeField: readonly [name: string, at: number];
  readonly count: number;
  readonly size: number;
}

/**
 * Checks e_ident, the ELF header and the bounds of both header tables (gABI chapter 4),
 * so that a parser which trusts them can be called. Undefined when all is well.
 * @param head the first bytes of the file, up to the length of the ELF header
 * @param size of the file, in bytes
 */
export function checkHeader(path: string, head: Buffer, size: number): Problem {
  return (
    checkIdent(path, head, size) ??
    checkFileHeader(path, head, LINKED) ??
    checkTables(path, head, size, true)
  );
}

/** As {@link checkHeader} for a reader of sections, which needs no program headers. */
export function checkSectionHeader(path: string, head: Buffer, size: number): Problem {
  const types = [ET_REL, ...LINKED];
  return (
    checkIdent(path, head, size) ??
    checkFileHeader(path, head, types) ??
    checkTables(path, head, size, false)
  );
}

const LINKED: readonly number[] = [ET_EXEC, ET_DYN];

function checkIdent(path: string, file: Buffer, size: number): Problem {
  const ident = { path, field: 'e_ident[EI_MAG]', offset: 0 };
  const magic = file.subarray(0, 4);
  if (magic.length === 0) return { ...ident, kind: 'not-elf', found: 'missing, the file is empty' };
  if (!Buffer.from([0x7f, 0x45, 0x4c, 0x46]).subarray(0, magic.length).equals(magic)) {
    // Documentation/arch/arm64/booting.rst: the magic number at 56.
    if (file.toString('latin1', 56, 60) === 'ARM\x64') {
      return { path, field: 'magic', offset: 56, kind: 'boot-image' };
    }
    const found = [...magic].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    return { ...ident, kind: 'not-elf', found };
  }
  const whole = { path, field: 'ELF header', offset: 0 };
  if (file.length < 20) return { ...whole, kind: 'truncated', bytes: '64', fileSize: size };
  const bigEndian = file[5] === 2;
  const machine = bigEndian ? file.readUInt16BE(18) : file.readUInt16LE(18);
  if (file[4] === 1) {
    const field = 'e_ident[EI_CLASS]';
    return { path, field, offset: 4, kind: 'class-32', machine: machineName(machine) };
  }
  if (file[4] !== 2) return malformed(path, 'e_ident[EI_CLASS]', 4, `no such class: ${file[4]}`);
  if (bigEndian) return { path, field: 'e_ident[EI_DATA]', offset: 5, kind: 'big-endian' };
  if (file[5] !== 1) {
    return malformed(path, 'e_ident[EI_DATA]', 5, `no such data encoding: ${file[5]}`);
  }
  if (file.length < EHDR_SIZE) {
    return { ...whole, kind: 'truncated', bytes: `${EHDR_SIZE}`, fileSize: size };
  }
  return undefined;
}

function checkFileHeader(path: string, file: Buffer, types: readonly number[]): Problem {
  const machine = file.readUInt16LE(18);
  if (machine !== EM_AARCH64) {
    const place = { path, field: 'e_machine', offset: 18 };
    return { ...place, kind: 'machine', machine: machineName(machine) };
  }
  const type = file.readUInt16LE(16);
  const place = { path, field: 'e_type', offset: 16 };
  if (types.includes(type)) return undefined;
  return type === ET_REL
    ? { ...place, kind: 'relocatable' }
    : { ...place, kind: 'file-type', type };
}

function checkTables(path: string, file: Buffer, size: number, needsPrograms: boolean): Problem {
  const phnum = file.readUInt16LE(56);
  const hasPrograms = phnum !== 0 && file.readBigUInt64LE(32) !== 0n;
  if (!hasPrograms && needsPrograms) {
    return { path, field: 'e_phnum', offset: 56, kind: 'no-load-segment' };
  }
  if (phnum === PN_XNUM) {
    return malformed(path, 'e_phnum', 56, 'extended numbering (PN_XNUM) is not supported');
  }
  const programs: Table = {
    name: 'program header table',
    offsetField: ['e_phoff', 32],
    sizeField: ['e_phentsize', 54],
    count: phnum,
    size: PHDR_SIZE,
  };
  const shnum = file.readUInt16LE(60);
  const shoff = file.readBigUInt64LE(40);
  if (shnum === 0 && shoff !== 0n) {
    return malformed(path, 'e_shnum', 60, 'extended section numbering is not supported');
  }
  const problem = hasPrograms ? checkTable(path, file, size, programs) : undefined;
  if (problem !== undefined || shnum === 0 || shoff === 0n) return problem;
  const shstrndx = file.readUInt16LE(62);
  if (shstrndx >= shnum) {
    const reason = `section ${shstrndx} does not exist, the file has ${shnum}`;
    return malformed(path, 'e_shstrndx', 62, reason);
  }
  return checkTable(path, file, size, {
    name: 'section header table',
    offsetField: ['e_shoff', 40],
    sizeField: ['e_shentsize', 58],
    count: shnum,
    size: SHDR_SIZE,
  });
}

function checkTable(path: string, file: Buffer, size: number, table: Table): Problem {
  const entry = file.readUInt16LE(table.sizeField[1]);
  if (entry !== table.size) {
    const reason = `is ${entry}, expected ${table.size}`;
    return malformed(path, table.sizeField[0], table.sizeField[1], reason);
  }
  const bytes = table.count * table.size;
  const offset = file.readBigUInt64LE(table.offsetField[1]);
  return checkRange(path, size, table.name, offset, BigInt(bytes));
}

/** Whether `bytes` bytes at `offset`, which hold `field`, lie inside the file. */
export function checkRange(
  path: string,
  size: number,
  field: string,
  offset: bigint,
  bytes: bigint,
): Problem {
  if (offset + bytes <= BigInt(size)) return undefined;
  const place = { path, field, offset: Number(offset) };
  return { ...place, kind: 'truncated', bytes: bytes.toString(), fileSize: size };
}

/** An error for a field whose value makes no sense. */
export function malformed(path: string, field: string, offset: number, reason: string): ElfError {
  return { path, field, offset, kind: 'malformed', reason };
}
