/** Files that people give although they are no AArch64 ELF files with code: one line says what is needed. */
import { describe, expect, it } from 'vitest';
import { describeElfError } from '../../elf/error.js';
import { parseElfFile } from '../../elf/file.js';
import { parseElf } from '../../elf/image.js';
import { whyNoSFrame } from '../../elf/sections.js';
import { buildElf, type BuilderSection, TEXT_ADDRESS, words } from './elf-builder.js';

/** 4 KiB of zeroes with a text somewhere. */
function withMagic(magic: string, offset = 0): Buffer {
  const file = Buffer.alloc(4096);
  file.write(magic, offset, 'latin1');
  return file;
}

const both = (file: Buffer): string[] =>
  [parseElf('FILE', file), parseElfFile('FILE', file)].map((elf) =>
    elf.ok ? 'accepted' : describeElfError(elf.error),
  );

describe('a file that is', () => {
  it.each<[string, Buffer, string]>([
    [
      'a boot Image',
      withMagic('ARM\x64', 56),
      'an arm64 boot Image (magic at offset 0x38); the vmlinux of the same build is needed',
    ],
    [
      'an EFI zboot image',
      withMagic('MZ\0\0zimg'),
      'a compressed EFI boot image (zboot) (magic at offset 0x4); the vmlinux of the same build is needed',
    ],
    [
      'a bzImage',
      withMagic('HdrS', 0x202),
      'an x86 bzImage (magic at offset 0x202); an arm64 vmlinux is needed',
    ],
    [
      'a PE program',
      withMagic('MZ'),
      'a PE/EFI program (magic at offset 0x0); an ELF file is needed',
    ],
    [
      'an archive',
      withMagic('!<arch>\n'),
      'an archive of objects (magic at offset 0x0); extract a member with ar x',
    ],
    [
      'LLVM bitcode',
      withMagic('BC\xc0\xde'),
      'LLVM bitcode (magic at offset 0x0); the ELF file that the linker makes of it is needed',
    ],
    [
      'compressed by bzip2',
      withMagic('BZh9'),
      'compressed with bzip2 (magic at offset 0x0); gzip, xz and zstd are read: decompress it first',
    ],
    [
      'compressed by lz4',
      withMagic('\x04\x22\x4d\x18'),
      'compressed with lz4 (magic at offset 0x0); gzip, xz and zstd are read: decompress it first',
    ],
    [
      'a core dump',
      buildElf({ type: 4 }),
      'a core dump (e_type at offset 0x10 is ET_CORE); the program or kernel that dumped it is needed',
    ],
    [
      'for x86-64',
      buildElf({ machine: 62 }),
      'built for x86-64, not AArch64 (e_machine at offset 0x12); an arm64 build of it is needed',
    ],
  ])('%s', (_, file, expected) => {
    expect(both(file)).toEqual([`FILE: ${expected}`, `FILE: ${expected}`]);
  });

  it('what objcopy --only-keep-debug leaves', () => {
    const text: BuilderSection = {
      name: '.text',
      type: 8,
      flags: 6,
      address: TEXT_ADDRESS,
      size: 64,
    };
    const sframe = { ...text, name: '.sframe', flags: 2 };
    const note = { name: '.note', type: 7, flags: 2, address: TEXT_ADDRESS, data: words(1) };
    const debug = { name: '.debug_info', type: 1, data: words(1) };
    const expected =
      'FILE: has no code, only debugging information (sh_type[1] at offset 0xb4 is SHT_NOBITS), ' +
      'as objcopy --only-keep-debug writes it; the file that it was split from is needed';
    const file = buildElf({ sections: [text, sframe, note, debug] });
    expect(both(file).map((line) => line.replace(/0x[0-9a-f]+/, '0xb4'))).toEqual([
      expected,
      expected,
    ]);
  });
});

describe('the lack of .sframe', () => {
  const sframe = { name: '.sframe', type: 1, flags: 2, address: TEXT_ADDRESS };
  it.each<[string, BuilderSection[]]>([
    ['no .sframe section', []],
    ['its .sframe section is empty', [{ ...sframe, data: new Uint8Array(0) }]],
    [
      'its .sframe section has no bytes in this file (SHT_NOBITS)',
      [{ ...sframe, type: 8, size: 8 }],
    ],
    ['its .sframe section is not loaded (no SHF_ALLOC)', [{ ...sframe, flags: 0, data: words(1) }]],
  ])('has a reason: %s', (reason, sections) => {
    const elf = parseElf('FILE', buildElf({ sections }));
    expect(elf.ok && elf.value.sframe).toEqual([]);
    expect(elf.ok && whyNoSFrame(elf.value.sections)).toBe(reason);
  });
});
