/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where probed functions return to, and where probed instructions are stepped. No CFI. */
#include "asm-offsets.h"
#include "linkage.h"

	.text

/* The current style: all the rest happens in the exception (kretprobe_brk_handler). */
SYM_CODE_START(__kretprobe_trampoline)
	brk	#7
	brk	#0x800
SYM_CODE_END(__kretprobe_trampoline)
NOKPROBE(__kretprobe_trampoline)

/*
 * The style of kernels before that: a pt_regs without a metadata record, and a frame record made of
 * its x29 and x30. x30 is this trampoline's own address, so that record is one to be recovered.
 */
SYM_CODE_START(__kretprobe_trampoline_regs)
	sub	sp, sp, #PT_REGS_SIZE
	stp	x0, x1, [sp, #S_X0]
	stp	x2, x3, [sp, #S_X2]
	stp	x4, x5, [sp, #S_X4]
	stp	x6, x7, [sp, #S_X6]
	stp	x8, x9, [sp, #S_X8]
	stp	x10, x11, [sp, #S_X10]
	stp	x12, x13, [sp, #S_X12]
	stp	x14, x15, [sp, #S_X14]
	stp	x16, x17, [sp, #S_X16]
	stp	x18, x19, [sp, #S_X18]
	stp	x20, x21, [sp, #S_X20]
	stp	x22, x23, [sp, #S_X22]
	stp	x24, x25, [sp, #S_X24]
	stp	x26, x27, [sp, #S_X26]
	stp	x28, x29, [sp, #S_X28]
	add	x0, sp, #PT_REGS_SIZE
	stp	x30, x0, [sp, #S_LR]
	mrs	x0, nzcv
	mrs	x1, daif
	orr	x0, x0, x1
	mov	x1, #5				// EL1h
	orr	x0, x0, x1
	stp	xzr, x0, [sp, #S_PC]
	add	x29, sp, #S_FP
	mov	x0, sp
	bl	trampoline_probe_handler
	mov	x30, x0
	ldr	x0, [sp, #S_PSTATE]
	and	x0, x0, #0xf0000000
	msr	nzcv, x0
	ldp	x0, x1, [sp, #S_X0]
	ldp	x2, x3, [sp, #S_X2]
	ldp	x4, x5, [sp, #S_X4]
	ldp	x6, x7, [sp, #S_X6]
	ldp	x8, x9, [sp, #S_X8]
	ldp	x10, x11, [sp, #S_X10]
	ldp	x12, x13, [sp, #S_X12]
	ldp	x14, x15, [sp, #S_X14]
	ldp	x16, x17, [sp, #S_X16]
	ldp	x18, x19, [sp, #S_X18]
	ldp	x20, x21, [sp, #S_X20]
	ldp	x22, x23, [sp, #S_X22]
	ldp	x24, x25, [sp, #S_X24]
	ldp	x26, x27, [sp, #S_X26]
	ldp	x28, x29, [sp, #S_X28]
	add	sp, sp, #PT_REGS_SIZE
	ret
SYM_CODE_END(__kretprobe_trampoline_regs)
NOKPROBE(__kretprobe_trampoline_regs)

/* One slot of KW_KPROBE_SLOT_SIZE bytes for each probe; the host fills them in. No probe goes here. */
	.section ".kprobes.text", "ax", %progbits
	.balign	4096
SYM_CODE_START(kprobe_insn_slots)
	.fill	KW_NR_KPROBES * KW_KPROBE_SLOT_SIZE / 4, 4, 0xd503201f
SYM_CODE_END(kprobe_insn_slots)
