/** Constants of the ELF format: the System V gABI, and ELF for the Arm 64-bit Architecture. */

export const EHDR_SIZE = 64;
export const PHDR_SIZE = 56;
export const SHDR_SIZE = 64;
export const SYM_SIZE = 24;
export const RELA_SIZE = 24;
export const RELR_SIZE = 8;

export const ET_REL = 1;
export const ET_EXEC = 2;
export const ET_DYN = 3;
export const ET_CORE = 4;

export const EM_AARCH64 = 183;

/** e_phnum when the real number is in sh_info of section header 0. */
export const PN_XNUM = 0xffff;
/** e_shstrndx when the real number is in sh_link of section header 0. */
export const SHN_XINDEX = 0xffff;

export const PT_LOAD = 1;
export const PT_GNU_SFRAME = 0x6474e554;

export const SHT_PROGBITS = 1;
export const SHT_SYMTAB = 2;
export const SHT_STRTAB = 3;
export const SHT_RELA = 4;
export const SHT_NOTE = 7;
export const SHT_NOBITS = 8;
export const SHT_REL = 9;
export const SHT_DYNSYM = 11;
export const SHT_SYMTAB_SHNDX = 18;
export const SHT_RELR = 19;
export const SHT_GNU_SFRAME = 0x6ffffff4;

export const SHF_ALLOC = 2;
export const SHF_EXECINSTR = 4;
export const SHF_COMPRESSED = 0x800;

/** Size of Elf64_Chdr in bytes, and the values of its ch_type. */
export const CHDR_SIZE = 24;
export const ELFCOMPRESS_ZLIB = 1;
export const ELFCOMPRESS_ZSTD = 2;

export const SHN_UNDEF = 0;
/** The first of the numbers that are no sections' own. */
export const SHN_LORESERVE = 0xff00;
export const SHN_ABS = 0xfff1;
export const SHN_COMMON = 0xfff2;

export const STB_LOCAL = 0;
export const STB_WEAK = 2;
export const STT_NOTYPE = 0;
export const STT_OBJECT = 1;
export const STT_FUNC = 2;
export const STT_FILE = 4;
export const STT_GNU_IFUNC = 10;

export const R_AARCH64_NONE = 0;
/** The value binutils gives to R_AARCH64_NONE in files written before the ABI withdrew it. */
export const R_AARCH64_WITHDRAWN = 256;

/** Dynamic relocations, besides R_AARCH64_ABS64. */
export const R_AARCH64_COPY = 1024;
export const R_AARCH64_GLOB_DAT = 1025;
export const R_AARCH64_JUMP_SLOT = 1026;
export const R_AARCH64_RELATIVE = 1027;
export const R_AARCH64_TLS_DTPMOD64 = 1028;
export const R_AARCH64_TLS_DTPREL64 = 1029;
export const R_AARCH64_TLS_TPREL64 = 1030;
export const R_AARCH64_TLSDESC = 1031;
export const R_AARCH64_IRELATIVE = 1032;

/** Static relocations of data (ELF for the Arm 64-bit Architecture, static data relocations). */
export const R_AARCH64_ABS64 = 257;
export const R_AARCH64_ABS32 = 258;
export const R_AARCH64_PREL64 = 260;
export const R_AARCH64_PREL32 = 261;
/** Branches: B and BL. */
export const R_AARCH64_JUMP26 = 282;
export const R_AARCH64_CALL26 = 283;

const MACHINES: Readonly<Record<number, string>> = {
  2: 'SPARC',
  3: 'x86 (i386)',
  8: 'MIPS',
  20: 'PowerPC',
  21: 'PowerPC64',
  22: 'S/390',
  40: 'ARM (32-bit)',
  43: 'SPARC V9',
  50: 'IA-64',
  62: 'x86-64',
  243: 'RISC-V',
  247: 'BPF',
  258: 'LoongArch',
};

/** The name of an e_machine value, or its number. */
export function machineName(machine: number): string {
  return MACHINES[machine] ?? `machine ${machine}`;
}
