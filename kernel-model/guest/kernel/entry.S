/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exceptions taken at EL1, and the way back. Written from the facts of arch/arm64/kernel/entry.S of
 * v7.3-rc7: the order of the stores that build pt_regs is what an unwinder meets half done.
 * None of this has CFI.
 */
#include "asm-offsets.h"
#include "linkage.h"

	.section ".entry.text", "ax", %progbits

/*
 * One of the 16 vectors. Reserves pt_regs and asks whether that left the stack, which is one bit of
 * SP; only x0 and SP can be used for it, and both must come out unharmed. So their sum goes to SP and
 * the reserved SP to x0, and back again by two subtractions.
 */
.macro kernel_ventry label:req
	.balign	128
	sub	sp, sp, #PT_REGS_SIZE
	add	sp, sp, x0			// SP + x0
	sub	x0, sp, x0			// SP
	tbnz	w0, #KW_THREAD_SHIFT, .Loverflow\@
	sub	x0, sp, x0			// x0
	sub	sp, sp, x0			// SP
	b	\label

.Loverflow\@:
	/* Off the stack, or on the overflow stack already: two EL0 thread registers serve as scratch. */
	msr	tpidr_el0, x0			// reserved SP
	sub	x0, sp, x0
	msr	tpidrro_el0, x0			// x0
	adrp	x0, overflow_stack + KW_OVERFLOW_STACK_SIZE
	add	sp, x0, :lo12:overflow_stack + KW_OVERFLOW_STACK_SIZE
	mrs	x0, tpidr_el1
	add	sp, sp, x0
	mrs	x0, tpidr_el0
	sub	x0, sp, x0			// how far below the top of the overflow stack
	tst	x0, #~(KW_OVERFLOW_STACK_SIZE - 1)
	b.ne	__bad_stack
	sub	sp, sp, x0			// it was that stack: the reserved SP again
	mrs	x0, tpidrro_el0
	b	\label
.endm

/* Fills in the pt_regs at SP. Leaves x29 at its metadata record and x28 = current. */
.macro kernel_entry
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
	add	x21, sp, #PT_REGS_SIZE		// the aborted SP
	mrs	x28, sp_el0
	mrs	x22, elr_el1
	mrs	x23, spsr_el1
	stp	x30, x21, [sp, #S_LR]
	stp	xzr, xzr, [sp, #S_STACKFRAME]
	mov	x0, #KW_FRAME_META_PT_REGS
	str	x0, [sp, #S_STACKFRAME_TYPE]
	add	x29, sp, #S_STACKFRAME
	stp	x22, x23, [sp, #S_PC]

	/* The interrupted priority mask; from here on PSTATE alone masks. */
	adrp	x24, gic_pmr
	ldr	w20, [x24, :lo12:gic_pmr]
	str	w20, [sp, #S_PMR]
	mov	w20, #KW_GIC_PRIO_ENTRY
	str	w20, [x24, :lo12:gic_pmr]
.endm

	.balign	2048
SYM_CODE_START(vectors)
	.irp	kind, sync, irq, fiq, error	// EL1t: SP_EL0 is `current`, never a stack
	kernel_ventry	__bad_mode
	.endr
	kernel_ventry	el1h_64_sync
	kernel_ventry	el1h_64_irq
	kernel_ventry	el1h_64_fiq
	kernel_ventry	el1h_64_error
	.rept	8				// EL0, 64 and 32 bit: there is no user space
	kernel_ventry	__bad_mode
	.endr
	.balign	128
SYM_CODE_END(vectors)

SYM_CODE_START(__bad_stack)
	mrs	x0, tpidrro_el0
	sub	sp, sp, #PT_REGS_SIZE
	kernel_entry
	mrs	x0, tpidr_el0			// not the SP here, the one that overflowed
	add	x0, x0, #PT_REGS_SIZE
	str	x0, [sp, #S_SP]
	mov	x0, sp
	bl	handle_bad_stack
	brk	#0x800
SYM_CODE_END(__bad_stack)

SYM_CODE_START(__bad_mode)
	kernel_entry
	mov	x0, sp
	bl	handle_bad_mode
	brk	#0x800
SYM_CODE_END(__bad_mode)

.macro entry_handler kind:req
SYM_CODE_START(el1h_64_\kind)
	kernel_entry
	mov	x0, sp
	bl	el1h_64_\kind\()_handler
	b	ret_to_kernel
SYM_CODE_END(el1h_64_\kind)
.endm

	entry_handler sync
	entry_handler irq
	entry_handler fiq
	entry_handler error

SYM_CODE_START(ret_to_kernel)
	ldr	w20, [sp, #S_PMR]
	adrp	x21, gic_pmr
	str	w20, [x21, :lo12:gic_pmr]
	dsb	sy
	ldp	x21, x22, [sp, #S_PC]
	msr	elr_el1, x21
	msr	spsr_el1, x22
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
	ldr	x30, [sp, #S_LR]
	add	sp, sp, #PT_REGS_SIZE
	eret
SYM_CODE_END(ret_to_kernel)

/*
 * SDEI: firmware calls this, whatever the kernel was doing.
 *   x0 event number   x1 struct sdei_registered_event   x2 interrupted PC   x3 its PSTATE
 * All else is as it was; x0..x3 of the interrupted context are with the firmware, which also puts
 * x0..x17, PC and PSTATE back after the HVC. x18..x29, LR and SP are ours to restore.
 */
SYM_CODE_START(__sdei_asm_handler)
	stp	x2, x3, [x1, #SDEI_EVENT_INTREGS + S_PC]
	stp	x4, x5, [x1, #SDEI_EVENT_INTREGS + S_X4]
	stp	x6, x7, [x1, #SDEI_EVENT_INTREGS + S_X6]
	stp	x8, x9, [x1, #SDEI_EVENT_INTREGS + S_X8]
	stp	x10, x11, [x1, #SDEI_EVENT_INTREGS + S_X10]
	stp	x12, x13, [x1, #SDEI_EVENT_INTREGS + S_X12]
	stp	x14, x15, [x1, #SDEI_EVENT_INTREGS + S_X14]
	stp	x16, x17, [x1, #SDEI_EVENT_INTREGS + S_X16]
	stp	x18, x19, [x1, #SDEI_EVENT_INTREGS + S_X18]
	stp	x20, x21, [x1, #SDEI_EVENT_INTREGS + S_X20]
	stp	x22, x23, [x1, #SDEI_EVENT_INTREGS + S_X22]
	stp	x24, x25, [x1, #SDEI_EVENT_INTREGS + S_X24]
	stp	x26, x27, [x1, #SDEI_EVENT_INTREGS + S_X26]
	stp	x28, x29, [x1, #SDEI_EVENT_INTREGS + S_X28]
	mov	x4, sp
	stp	x30, x4, [x1, #SDEI_EVENT_INTREGS + S_LR]
	mov	x19, x1

	/* The stack of this priority: the interrupted SP may be anything, so it is never tried. */
	ldrb	w4, [x19, #SDEI_EVENT_PRIORITY]
	cbnz	w4, 1f
	adrp	x5, sdei_stack_normal_ptr
	add	x5, x5, :lo12:sdei_stack_normal_ptr
	b	2f
1:	adrp	x5, sdei_stack_critical_ptr
	add	x5, x5, :lo12:sdei_stack_critical_ptr
2:	mrs	x6, tpidr_el1
	ldr	x5, [x5, x6]
	add	sp, x5, #KW_SDEI_STACK_SIZE

	/* A plain frame record. Nothing tells an unwinder that this was no call. */
	stp	x29, x2, [sp, #-16]!
	mov	x29, sp

	add	x0, x19, #SDEI_EVENT_INTREGS
	mov	x1, x19
	bl	__sdei_handler

	mov	x4, x19
	ldp	x30, x1, [x4, #SDEI_EVENT_INTREGS + S_LR]
	ldp	x28, x29, [x4, #SDEI_EVENT_INTREGS + S_X28]
	ldp	x18, x19, [x4, #SDEI_EVENT_INTREGS + S_X18]
	mov	sp, x1
SYM_INNER_LABEL(sdei_complete)
SYM_INNER_LABEL(__sdei_handler_exit)
	hvc	#0
	brk	#0x800
.Lsdei_asm_handler_end:
SYM_CODE_END(__sdei_asm_handler)
	.pushsection .rodata
	.balign	8
	.globl	sdei_asm_handler_end
sdei_asm_handler_end:
	.quad	.Lsdei_asm_handler_end
	.popsection
