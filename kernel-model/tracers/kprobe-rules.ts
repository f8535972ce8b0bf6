/**
 * How Linux executes the instruction under a kprobe: it steps it in a slot, simulates it, or
 * refuses it (arch/arm64/kernel/probes/decode-insn.c, v7.3-rc7). Encodings: Arm ARM C4.1.
 */
import { NOP } from '../../aarch64/encodings.js';
import { exceptionImmediate } from '../../aarch64/instruction.js';

/** How a probed instruction is executed. `refused`: registration fails with -EINVAL. */
export type ProbeMethod = 'slot' | 'simulated' | 'refused';

/** Hints, `CRm:op2`, that may be stepped: XPACLRI, PACIA1716, PACIB1716, PACI[AB][ZSP]*, BTI. */
const STEPPABLE_HINTS: ReadonlySet<number> = new Set([7, 8, 10, 24, 25, 26, 27, 32, 34, 36, 38]);

/** System register field (bits 19:5) of DAIF in MRS. */
const SYSREG_DAIF = 0x5a11;

/** How an instruction word is executed under a kprobe. */
export function probeMethod(word: number): ProbeMethod {
  const op = word >>> 0;
  if (op === NOP) return 'simulated';
  if (isBranchOrSystem(op)) return branchOrSystem(op);
  if (isLoadLiteral(op) || isPcRelative(op)) return 'simulated';
  // PRFM (literal) and the literal loads of vector registers: the kernel simulates none of them.
  if ((op & 0x3b000000) >>> 0 === 0x18000000) return 'refused';
  // Exclusive loads and stores: an exception between them clears the monitor.
  if ((op & 0x3f000000) >>> 0 === 0x08000000 && (op & 0x00800000) === 0) return 'refused';
  return 'slot';
}

/**
 * The kernel function that simulates an instruction (arch/arm64/kernel/probes/simulate-insn.c,
 * v7.3-rc7). Undefined when the instruction is not `simulated`.
 */
export function simulatorOf(word: number): string | undefined {
  const op = word >>> 0;
  if (probeMethod(op) !== 'simulated') return undefined;
  if (op === NOP) return 'simulate_nop';
  if (isPcRelative(op)) return 'simulate_adr_adrp';
  if ((op & 0xff000000) >>> 0 === 0x98000000) return 'simulate_ldrsw_literal';
  if (isLoadLiteral(op)) return 'simulate_ldr_literal';
  if ((op & 0x7c000000) >>> 0 === 0x14000000) return 'simulate_b_bl';
  if ((op & 0xff000000) >>> 0 === 0x54000000) return 'simulate_b_cond';
  if ((op & 0x7e000000) >>> 0 === 0x34000000) return 'simulate_cbz_cbnz';
  if ((op & 0x7e000000) >>> 0 === 0x36000000) return 'simulate_tbz_tbnz';
  return (op & 0xfffffc1f) >>> 0 === 0xd65f0000 ? 'simulate_ret' : 'simulate_br_blr';
}

/** BRK immediates that kprobes use (arch/arm64/include/asm/brk-imm.h, v7.3-rc7). */
export const ProbeBrk = { KPROBE: 0x004, SINGLE_STEP: 0x006, KRETPROBE: 0x007 } as const;

/**
 * Whether a `brk` belongs to kprobes: the probe, the one after its slot, or a kretprobe's
 * trampoline.
 */
export function isProbeBreakpoint(word: number): boolean {
  const immediate = exceptionImmediate(word);
  return (
    immediate === ProbeBrk.KPROBE ||
    immediate === ProbeBrk.SINGLE_STEP ||
    immediate === ProbeBrk.KRETPROBE
  );
}

/** C4.1.66: bits 28:26 are 101. */
function isBranchOrSystem(op: number): boolean {
  return (op & 0x1c000000) >>> 0 === 0x14000000;
}

/** LDR (literal) of a general register, LDRSW (literal). */
function isLoadLiteral(op: number): boolean {
  return (op & 0xbf000000) >>> 0 === 0x18000000 || (op & 0xff000000) >>> 0 === 0x98000000;
}

/** ADR, ADRP. */
function isPcRelative(op: number): boolean {
  return (op & 0x1f000000) >>> 0 === 0x10000000;
}

function branchOrSystem(op: number): ProbeMethod {
  if ((op & 0x7c000000) >>> 0 === 0x14000000) return 'simulated'; // B, BL
  if ((op & 0x7c000000) >>> 0 === 0x34000000) return 'simulated'; // CBZ, CBNZ, TBZ, TBNZ
  if ((op & 0xff000010) >>> 0 === 0x54000000) return 'simulated'; // B.cond
  if ((op & 0xff9ffc1f) >>> 0 === 0xd61f0000) {
    // BR, BLR, RET; the fourth encoding of this pattern is unallocated.
    return ((op >>> 21) & 3) === 3 ? 'refused' : 'simulated';
  }
  // ERET, and the branches that authenticate.
  if ((op & 0xfe000000) >>> 0 === 0xd6000000) return 'refused';
  // Exception generation.
  if ((op & 0xff000000) >>> 0 === 0xd4000000) return 'refused';
  if ((op & 0xfffff01f) >>> 0 === 0xd503201f) {
    return STEPPABLE_HINTS.has((op >>> 5) & 0x7f) ? 'slot' : 'refused';
  }
  if ((op & 0xfff00000) >>> 0 === 0xd5300000) {
    return ((op >>> 5) & 0x7fff) === SYSREG_DAIF ? 'refused' : 'slot'; // MRS
  }
  if ((op & 0xfff00000) >>> 0 === 0xd5100000) return 'refused'; // MSR (register)
  if ((op & 0xfff8f01f) >>> 0 === 0xd500401f) return 'refused'; // MSR (immediate)
  return 'slot'; // barriers, SYS
}
