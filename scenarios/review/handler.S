/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An interrupt handler that walks while x29 holds data. The walk starts at its return address with
 * that x29, and what arch_stack_walk_reliable() has for its own frame address is 96 bytes below SP.
 */
#include "asm.h"
#include "walk-return.h"

	.text

/* Thread function: makes review_handler the root interrupt handler, then is kunwind_thread. */
SYM_LEAF_FUNC_START(review_handler_thread)
	adrp	x1, review_handler
	add	x1, x1, :lo12:review_handler
	adrp	x2, handle_arch_irq
	str	x1, [x2, :lo12:handle_arch_irq]
	b	kunwind_thread
SYM_LEAF_FUNC_END(review_handler_thread)

/*
 * x0 = pt_regs. Keeps the interrupted {fp, pc} as a local, as profilers do, at SP + 48: with a frame
 * of 160 bytes that is where RA and FP seem to be from 96 bytes below SP.
 */
SYM_CFI_FUNC_START(review_handler)
	save_record_top 160
	adrp	x1, gic_iar
	str	wzr, [x1, :lo12:gic_iar]
	ldr	x1, [x0, #S_FP]
	ldr	x2, [x0, #S_PC]
	stp	x1, x2, [sp, #48]
	mrs	x0, sp_el0
	mov	x29, #ALIGNED_DATA
	bl	walk_request
	WALK_RETURN
	restore_record_top 160
	ret
SYM_CFI_FUNC_END(review_handler)

	entry_function review_handler_entry, review_framed	/* x0 = 5: 21 */
