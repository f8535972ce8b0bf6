/** The real files that mutated inputs are made from. */
import { readFileSync } from 'node:fs';
import { parseElfFile } from '../elf/file.js';
import { packagePath } from '../base/package-path.js';

/** One file, and the places where a change is likely to get far. */
export interface FuzzInput {
  readonly path: string;
  readonly bytes: Buffer;
  /** ELF header, header tables, and the sections that are read: byte ranges of the file. */
  readonly places: readonly { readonly from: number; readonly to: number }[];
}

const FILES = [
  'kernel-model/guest/vmlinux',
  'scenarios/calls/calls.elf',
  'scenarios/leaf/leaf.elf',
  'test/fixtures/sframe/frames-gcc12-v1.o',
  'test/fixtures/sframe/frames-clang.o',
  'test/fixtures/sframe/frames-clang-debug-frame.o',
  'test/fixtures/sframe/frames-v3.o',
  'test/fixtures/sframe/shapes-v3.o',
  'test/fixtures/programs/pie.elf',
  'test/fixtures/programs/shared-tls.elf',
];

const READ =
  /^\.(sframe|eh_frame|debug_frame|symtab|strtab|shstrtab|dynsym|dynstr|rela\.(sframe|eh_frame|debug_frame|text.*|dyn|plt)|text)$/;

/** Reads all of these files. */
export function readInputs(): FuzzInput[] {
  return FILES.map((path) => {
    const bytes = readFileSync(packagePath(path));
    const tables = parseElfFile(path, bytes);
    if (!tables.ok) throw new Error(`${path} cannot be read`);
    const { sections } = tables.value;
    const programs = Number(bytes.readBigUInt64LE(32));
    const headers = Number(bytes.readBigUInt64LE(40));
    return {
      path,
      bytes,
      places: [
        { from: 0, to: 64 },
        { from: programs, to: programs + bytes.readUInt16LE(56) * 56 },
        { from: headers, to: headers + bytes.readUInt16LE(60) * 64 },
        ...sections
          .filter(({ name }) => READ.test(name))
          .map(({ offset, data }) => ({ from: offset, to: offset + data.length })),
      ].filter(({ from, to }) => to > from),
    };
  });
}
