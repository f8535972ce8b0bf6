/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changing stacks: to another task's, or to the IRQ stack. Facts: arch/arm64/kernel/entry.S, v7.3-rc7. */
#include "asm-offsets.h"
#include "linkage.h"

	.text

/*
 * x0 previous task, x1 next; returns the previous one, on the next one's stack. No CFI: between the
 * loads and SP's change the registers belong to neither.
 */
SYM_FUNC_START(cpu_switch_to)
	mrs	x11, daif
	msr	daifset, #0xf
	mov	x10, #THREAD_CPU_CONTEXT
	add	x8, x0, x10
	mov	x9, sp
	stp	x19, x20, [x8], #16
	stp	x21, x22, [x8], #16
	stp	x23, x24, [x8], #16
	stp	x25, x26, [x8], #16
	stp	x27, x28, [x8], #16
	stp	x29, x9, [x8], #16
	str	x30, [x8]
	add	x8, x1, x10
	ldp	x19, x20, [x8], #16
	ldp	x21, x22, [x8], #16
	ldp	x23, x24, [x8], #16
	ldp	x25, x26, [x8], #16
	ldp	x27, x28, [x8], #16
	ldp	x29, x9, [x8], #16
	ldr	x30, [x8]
	mov	sp, x9
	msr	sp_el0, x1
	msr	daif, x11
	ret
SYM_FUNC_END(cpu_switch_to)
NOKPROBE(cpu_switch_to)

/* A new thread's first instruction: x19 its function (0: none), x20 the argument. */
SYM_CODE_START(ret_from_fork)
	bl	schedule_tail
	cbz	x19, 1f
	mov	x0, x20
	blr	x19
1:	bl	kunwind_done
	brk	#0x800
SYM_CODE_END(ret_from_fork)
NOKPROBE(ret_from_fork)

/*
 * x1(x0) on this CPU's IRQ stack. The CFA follows x29 once that is set, so that the row holds while
 * SP is on the other stack.
 */
SYM_CFI_FUNC_START(call_on_irq_stack)
	mrs	x9, daif
	msr	daifset, #0xf
	stp	x29, x30, [sp, #-16]!
	.cfi_def_cfa_offset 16
	.cfi_offset x29, -16
	.cfi_offset x30, -8
	mov	x29, sp
	.cfi_def_cfa x29, 16
	adrp	x16, irq_stack_ptr
	add	x16, x16, :lo12:irq_stack_ptr
	mrs	x17, tpidr_el1
	ldr	x16, [x16, x17]
	add	sp, x16, #KW_IRQ_STACK_SIZE
	msr	daif, x9
	blr	x1
	mrs	x9, daif
	msr	daifset, #0xf
	mov	sp, x29
	.cfi_def_cfa sp, 16
	ldp	x29, x30, [sp], #16
	.cfi_restore x29
	.cfi_restore x30
	.cfi_def_cfa_offset 0
	msr	daif, x9
	ret
SYM_CFI_FUNC_END(call_on_irq_stack)
NOKPROBE(call_on_irq_stack)
