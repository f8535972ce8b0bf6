/**
 * Instructions for tests, keyed by the text that the disassembler prints. The words are GNU as's;
 * test/emulator/cpu.test.ts has capstone confirm every one, so neither is our own reading.
 */

/** PC-independent instructions. */
export const A64 = {
  'movz x0, #0x1234': 0xd2824680,
  'movk x0, #0xffff, lsl #48': 0xf2ffffe0,
  'add x1, x0, #1': 0x91000401,
  'add x0, x0, #1': 0x91000400,
  'sub x0, x0, #1': 0xd1000400,
  'subs x2, x1, x1': 0xeb010022,
  'adds x3, x4, x5': 0xab050083,
  'cmp x4, x5': 0xeb05009f,
  'mul x6, x4, x5': 0x9b057c86,
  'umulh x6, x4, x5': 0x9bc57c86,
  'ror x9, x4, #8': 0x93c42089,
  'csel x7, x4, x5, eq': 0x9a850087,
  'str x0, [sp, #-0x10]!': 0xf81f0fe0,
  'ldr x8, [sp], #0x10': 0xf84107e8,
  'stp x29, x30, [sp, #-0x10]!': 0xa9bf7bfd,
  'ldp x29, x30, [sp], #0x10': 0xa8c17bfd,
  'mov x29, sp': 0x910003fd,
  'mov x9, x30': 0xaa1e03e9,
  'mov x30, x9': 0xaa0903fe,
  'sub sp, sp, #0x140': 0xd10503ff,
  'add sp, sp, #0x140': 0x910503ff,
  'ldr x0, [x1]': 0xf9400020,
  'str x0, [x1]': 0xf9000020,
  'ldrb w8, [x1, #3]': 0x39400c28,
  'blr x1': 0xd63f0020,
  'br x1': 0xd61f0020,
  'br x16': 0xd61f0200,
  ret: 0xd65f03c0,
  'ret x9': 0xd65f0120,
  'brk #4': 0xd4200080,
  'brk #0xf000': 0xd43e0000,
  'svc #7': 0xd40000e1,
  'hvc #0': 0xd4000002,
  'smc #0': 0xd4000003,
  nop: 0xd503201f,
  wfi: 0xd503207f,
  wfe: 0xd503205f,
  eret: 0xd69f03e0,
  'msr sp_el0, x0': 0xd5184100,
  'msr sp_el0, xzr': 0xd518411f,
  'mrs x0, sp_el0': 0xd5384100,
  'mrs x0, elr_el1': 0xd5384020,
  'mrs x1, spsr_el1': 0xd5384001,
  'mrs x2, esr_el1': 0xd5385202,
  'msr elr_el1, x0': 0xd5184020,
  'msr spsr_el1, x0': 0xd5184000,
  'msr daifset, #2': 0xd50342df,
  'msr daifclr, #2': 0xd50342ff,
  'msr daifset, #0xf': 0xd5034fdf,
  'mrs x3, daif': 0xd53b4223,
  'mrs x4, nzcv': 0xd53b4204,
  'movi v0.16b, #0xa5': 0x4f05e4a0,
  'add v1.16b, v0.16b, v0.16b': 0x4e208401,
  paciasp: 0xd503233f,
  pacibsp: 0xd503237f,
  autiasp: 0xd50323bf,
  autibsp: 0xd50323ff,
  paciaz: 0xd503231f,
  pacibz: 0xd503235f,
  autiaz: 0xd503239f,
  autibz: 0xd50323df,
  pacia1716: 0xd503211f,
  pacib1716: 0xd503215f,
  autia1716: 0xd503219f,
  autib1716: 0xd50321df,
  xpaclri: 0xd50320ff,
  retaa: 0xd65f0bff,
  retab: 0xd65f0fff,
} as const;

/** What capstone prints for an entry of {@link A64}. */
export type A64Text = keyof typeof A64;

/** Unallocated: undefined on every CPU (Arm ARM C4.1, UDF). */
export const UDF = 0;

/** `b` and `bl` over a distance in bytes (Arm ARM C6.2.26, C6.2.35). */
export const branch = (distance: number): number => 0x14000000 | ((distance >> 2) & 0x3ffffff);
export const branchAndLink = (distance: number): number => (branch(distance) | 0x80000000) >>> 0;

/** Instruction words of some texts; numbers are taken as they are. */
export function assemble(...code: readonly (A64Text | number)[]): number[] {
  return code.map((one) => (typeof one === 'number' ? one >>> 0 : A64[one]));
}
