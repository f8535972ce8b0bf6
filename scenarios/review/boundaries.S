/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an unwinder knows at an exception boundary: look-up failures, CFAs, the IRQ stack. */
#include "asm.h"

	.text

/* A frame record as any, and no CFI. */
SYM_FUNC_START(review_nocfi)
	stp	x29, x30, [sp, #-32]!
	mov	x29, sp
	bl	review_leaf
	ldp	x29, x30, [sp], #32
	ret
SYM_FUNC_END(review_nocfi)

	entry_function review_nocfi_entry, review_nocfi			/* x0 = 5: 16 */

/* x1 = 0 or 16: what SP is lowered by, from a multiple of 32, before the call */
SYM_CFI_FUNC_START(review_shifted_entry)
	push_record 16
	.cfi_def_cfa x29, 16
	mov	x9, sp
	and	sp, x9, #~31
	sub	sp, sp, x1
	bl	review_framed
	mov	sp, x29
	.cfi_def_cfa sp, 16
	pop_record 16
	ret
SYM_CFI_FUNC_END(review_shifted_entry)

/* review_framed on the IRQ stack, by call_on_irq_stack and by a copy of it without CFI. */
.macro on_irq_stack name:req, switch:req
SYM_CFI_FUNC_START(\name)
	push_record 16
	.cfi_def_cfa x29, 16
	mov	x9, sp
	and	sp, x9, #~31
	adrp	x1, review_framed
	add	x1, x1, :lo12:review_framed
	bl	\switch
	mov	sp, x29
	.cfi_def_cfa sp, 16
	pop_record 16
	ret
SYM_CFI_FUNC_END(\name)
.endm

	on_irq_stack review_irq_stack_entry, call_on_irq_stack		/* x0 = 5: 20 */
	on_irq_stack review_irq_stack_nocfi_entry, review_call_on_irq_stack	/* x0 = 5: 20 */

SYM_FUNC_START(review_call_on_irq_stack)
	mrs	x9, daif
	msr	daifset, #0xf
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
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
	ldp	x29, x30, [sp], #16
	msr	daif, x9
	ret
SYM_FUNC_END(review_call_on_irq_stack)
NOKPROBE(review_call_on_irq_stack)
