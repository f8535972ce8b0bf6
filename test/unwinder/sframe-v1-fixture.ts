/**
 * A V1 section from a real toolchain: binutils 2.40 of Debian 12 (binutils-aarch64-linux-gnu),
 *
 *     aarch64-linux-gnu-as --gsframe v1.s -o v1.o
 *     aarch64-linux-gnu-ld -Ttext=0x400000 -e 0x400000 v1.o -o v1.elf
 *
 * and what `aarch64-linux-gnu-readelf --sframe` of the same binutils prints about it. That
 * assembler encodes x and z wrongly: it writes a CFA based on x9 as based on SP, and the FP slot
 * of a function that saves no RA where the RA slot belongs. They are kept to show that a section
 * is read for what it says. v1.s, without the .type and .size lines:
 *
 *     .text
 *     f:  .cfi_startproc
 *       paciasp
 *       .cfi_negate_ra_state
 *       stp x29, x30, [sp, -32]!
 *       .cfi_def_cfa_offset 32
 *       .cfi_offset 29, -32
 *       .cfi_offset 30, -24
 *       mov x29, sp
 *       .cfi_def_cfa_register 29
 *       nop
 *       ldp x29, x30, [sp], 32
 *       .cfi_restore 30
 *       .cfi_restore 29
 *       .cfi_def_cfa 31, 0
 *       autiasp
 *       .cfi_negate_ra_state
 *       ret
 *       .cfi_endproc
 *     g:  .cfi_startproc
 *       nop
 *       sub sp, sp, #4096
 *       .cfi_def_cfa_offset 4096
 *       .skip 300
 *       add sp, sp, #4096
 *       .cfi_def_cfa_offset 0
 *       ret
 *       .cfi_endproc
 *     k:  .cfi_startproc
 *       .cfi_b_key_frame
 *       pacibsp
 *       .cfi_negate_ra_state
 *       nop
 *       ret
 *       .cfi_endproc
 *     o:  .cfi_startproc
 *       .cfi_undefined 30
 *       nop
 *       nop
 *       .cfi_endproc
 *     s:  .cfi_startproc
 *       .cfi_signal_frame
 *       nop
 *       nop
 *       .cfi_endproc
 *     x:  .cfi_startproc
 *       nop
 *       .cfi_def_cfa 9, 16
 *       .cfi_offset 30, -8
 *       nop
 *       .cfi_offset 29, -16
 *       nop
 *       .cfi_endproc
 *     y:  .cfi_startproc
 *       nop
 *       .cfi_register 30, 9
 *       nop
 *       .cfi_endproc
 *     z:  .cfi_startproc
 *       stp x29, x10, [sp, -32]!
 *       .cfi_def_cfa_offset 32
 *       .cfi_offset 29, -32
 *       nop
 *       .cfi_endproc
 */

/** Where `.sframe` lies in v1.elf. */
export const V1_ADDRESS = 0x4002a0;

/** Its bytes. */
export const v1Section = Uint8Array.from(
  Buffer.from(
    [
      'e2de010102000000070000001200000042000000000000007700000060fdffff',
      '1c0000000000000006000000007cfdffff3c010000160000000300000001b8fe',
      'ffff0c000000230000000200000020c4feffff08000000290000000100000000',
      'ccfeffff080000002c0000000100000000d4feffff0c0000002f000000030000',
      '0000e8feffff080000003b0000000200000000000300048300088720e8e00c86',
      '20e8e01483001803000000030008002300103801030000030004830000030000',
      '0300000300040510f8080710f8f0000300040520e0',
    ].join(''),
    'hex',
  ),
);

/** What readelf prints; the rows end in blanks. */
export const v1Readelf = [
  'Contents of the SFrame section .sframe:',
  '  Header :',
  '',
  '    Version: SFRAME_VERSION_1',
  '    Flags: SFRAME_F_FDE_SORTED',
  '    Num FDEs: 7',
  '    Num FREs: 18',
  '',
  '  Function Index :',
  '',
  '    func idx [0]: pc = 0x400000, size = 28 bytes',
  '    STARTPC         CFA       FP        RA           ',
  '    0000000000400000  sp+0      u         u            ',
  '    0000000000400004  sp+0      u         u[s]         ',
  '    0000000000400008  sp+32     c-32      c-24[s]      ',
  '    000000000040000c  fp+32     c-32      c-24[s]      ',
  '    0000000000400014  sp+0      u         u[s]         ',
  '    0000000000400018  sp+0      u         u            ',
  '',
  '    func idx [1]: pc = 0x40001c, size = 316 bytes',
  '    STARTPC         CFA       FP        RA           ',
  '    000000000040001c  sp+0      u         u            ',
  '    0000000000400024  sp+4096   u         u            ',
  '    0000000000400154  sp+0      u         u            ',
  '',
  '    func idx [2]: pc = 0x400158, size = 12 bytes, pauth = B key',
  '    STARTPC         CFA       FP        RA           ',
  '    0000000000400158  sp+0      u         u            ',
  '    000000000040015c  sp+0      u         u[s]         ',
  '',
  '    func idx [3]: pc = 0x400164, size = 8 bytes',
  '    STARTPC         CFA       FP        RA           ',
  '    0000000000400164  sp+0      u         u            ',
  '',
  '    func idx [4]: pc = 0x40016c, size = 8 bytes',
  '    STARTPC         CFA       FP        RA           ',
  '    000000000040016c  sp+0      u         u            ',
  '',
  '    func idx [5]: pc = 0x400174, size = 12 bytes',
  '    STARTPC         CFA       FP        RA           ',
  '    0000000000400174  sp+0      u         u            ',
  '    0000000000400178  sp+16     u         c-8          ',
  '    000000000040017c  sp+16     c-16      c-8          ',
  '',
  '    func idx [6]: pc = 0x400188, size = 8 bytes',
  '    STARTPC         CFA       FP        RA           ',
  '    0000000000400188  sp+0      u         u            ',
  '    000000000040018c  sp+32     u         c-32         ',
  '',
].join('\n');
