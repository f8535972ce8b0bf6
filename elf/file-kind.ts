/**
 * Recognises files that are not ELF files, and says what to give instead. People often name the
 * file that they boot, or that a distribution ships.
 */
import { compressionOf } from './compression.js';
import type { ElfError } from './error.js';

/**
 * How many bytes of a file {@link foreignFile} looks at. The magic number of a bzImage is at 0x202.
 */
export const START_SIZE = 0x240;

/** A file that is recognised by a magic number. */
interface Kind {
  readonly offset: number;
  /** The magic number, one character for each byte. */
  readonly magic: string;
  readonly what: string;
  readonly instead: string;
}

const VMLINUX = 'the vmlinux of the same build is needed';
const DECOMPRESS = 'gzip, xz and zstd are read: decompress it first';

/** The first match counts. */
const KINDS: readonly Kind[] = [
  // drivers/firmware/efi/libstub/zboot-header.S
  { offset: 4, magic: 'zimg', what: 'a compressed EFI boot image (zboot)', instead: VMLINUX },
  // Documentation/arch/arm64/booting.rst
  { offset: 56, magic: 'ARM\x64', what: 'an arm64 boot Image', instead: VMLINUX },
  // Documentation/arch/x86/boot.rst
  { offset: 0x202, magic: 'HdrS', what: 'an x86 bzImage', instead: 'an arm64 vmlinux is needed' },
  // arch/arm/boot/compressed/head.S
  {
    offset: 0x24,
    magic: '\x18\x28\x6f\x01',
    what: 'a zImage of 32-bit ARM',
    instead: 'an arm64 vmlinux is needed',
  },
  { offset: 0, magic: 'MZ', what: 'a PE/EFI program', instead: 'an ELF file is needed' },
  { offset: 0, magic: '\x27\x05\x19\x56', what: 'a U-Boot image', instead: VMLINUX },
  { offset: 0, magic: 'ANDROID!', what: 'an Android boot image', instead: VMLINUX },
  {
    offset: 0,
    magic: '!<arch>\n',
    what: 'an archive of objects',
    instead: 'extract a member with ar x',
  },
  { offset: 0, magic: '!<thin>\n', what: 'a thin archive', instead: 'name one of its members' },
  {
    offset: 0,
    magic: 'BC\xc0\xde',
    what: 'LLVM bitcode',
    instead: 'the ELF file that the linker makes of it is needed',
  },
  { offset: 0, magic: '\xcf\xfa\xed\xfe', what: 'a Mach-O file', instead: 'an ELF file is needed' },
  { offset: 0, magic: '\xd0\x0d\xfe\xed', what: 'a device tree or FIT image', instead: VMLINUX },
  { offset: 0, magic: '07070', what: 'a cpio archive', instead: 'extract the file first' },
  { offset: 257, magic: 'ustar', what: 'a tar archive', instead: 'extract the file first' },
  { offset: 0, magic: 'PK\x03\x04', what: 'a zip archive', instead: 'extract the file first' },
  {
    offset: 0,
    magic: '\xed\xab\xee\xdb',
    what: 'an RPM package',
    instead: 'extract the file first',
  },
  { offset: 0, magic: 'BZh', what: 'compressed with bzip2', instead: DECOMPRESS },
  { offset: 0, magic: '\x04\x22\x4d\x18', what: 'compressed with lz4', instead: DECOMPRESS },
  { offset: 0, magic: '\x02\x21\x4c\x18', what: 'compressed with lz4', instead: DECOMPRESS },
  { offset: 0, magic: '\x89LZO\0', what: 'compressed with lzop', instead: DECOMPRESS },
  { offset: 0, magic: '\x5d\0\0', what: 'compressed with lzma', instead: DECOMPRESS },
];

/** What is still compressed after it was decompressed. */
const TWICE = { offset: 0, what: 'compressed twice', instead: 'decompress it once' };

/**
 * The error for a file that is recognised as something other than ELF.
 * @param start its first {@link START_SIZE} bytes
 */
export function foreignFile(path: string, start: Buffer): ElfError | undefined {
  const found = KINDS.find(
    ({ offset, magic }) => start.toString('latin1', offset, offset + magic.length) === magic,
  );
  const { offset, what, instead } = found ?? TWICE;
  if (found === undefined && compressionOf(start) === undefined) return undefined;
  return { path, field: 'magic', offset, kind: 'foreign', what, instead };
}
