/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Functions that use x29 for data while they call, as code built without frame pointers may. Their
 * own frames are fully described. What they call keeps records, so that a walk gets as far as here
 * and then has no frame pointer to go on with.
 */
#include "asm.h"

	.text

SYM_LEAF_FUNC_START(review_bystander)
	ret
SYM_LEAF_FUNC_END(review_bystander)

SYM_LEAF_FUNC_START(review_leaf)
	add	x0, x0, x0, lsl #1
	ret
SYM_LEAF_FUNC_END(review_leaf)

/*
 * Keeps its caller's x29 in x19 and an address of code in x20, as a function with a callback would.
 * The callee saves both, 16 bytes above its record: that is where this function's row leads from the
 * address of that record, taken for SP.
 */
.macro data_in_fp name:req, callee:req
SYM_CFI_FUNC_START(\name)
	save_record_top 32
	stp	x19, x20, [sp]
	.cfi_offset x19, -32
	.cfi_offset x20, -24
	mov	x19, x29
	bystander x20
	mov	x29, #ALIGNED_DATA
	bl	\callee
	ldp	x19, x20, [sp]
	.cfi_restore x19
	.cfi_restore x20
	restore_record_top 32
	ret
SYM_CFI_FUNC_END(\name)
.endm

	data_in_fp review_calls_alloca, review_alloca
	entry_function review_alloca_entry, review_calls_alloca		/* x0 = 5: 31 */
	data_in_fp review_calls_static, review_static
	entry_function review_static_entry, review_calls_static		/* x0 = 5: 31 */
	data_in_fp review_calls_leaf, review_leaf
	entry_function review_fallback_entry, review_calls_leaf		/* x0 = 5: 16 */

/* Its callee's record holds a frame pointer that cannot be one. */
SYM_CFI_FUNC_START(review_odd_data)
	save_record_top 32
	str	x0, [sp]
	mov	x29, #ODD_DATA
	bl	review_framed
	ldr	x1, [sp]
	add	x0, x0, x1
	restore_record_top 32
	ret
SYM_CFI_FUNC_END(review_odd_data)

SYM_CFI_FUNC_START(review_framed)
	push_record 32
	str	x0, [sp, #16]
	bl	review_leaf
	ldr	x1, [sp, #16]
	add	x0, x0, x1
	pop_record 32
	ret
SYM_CFI_FUNC_END(review_framed)

	entry_function review_dropped_entry, review_odd_data		/* x0 = 5: 26 */

/*
 * The thread's end, called where it cannot come back from. At the address behind that call another
 * path goes on, whose frame is smaller by the local {fp, pc} that the first one keeps at SP + 16.
 */
SYM_LEAF_FUNC_START(review_exit)
	add	x0, x0, #1
	nop
	b	kunwind_done
SYM_LEAF_FUNC_END(review_exit)

SYM_CFI_FUNC_START(review_calls_exit)
	save_record_top 32
	cbz	x0, 1f
	.cfi_remember_state
	sub	sp, sp, #32
	.cfi_def_cfa_offset 64
	bystander x1
	stp	x29, x1, [sp, #16]
	mov	x29, #ALIGNED_DATA
	bl	review_exit
	.cfi_restore_state
1:	restore_record_top 32
	ret
SYM_CFI_FUNC_END(review_calls_exit)

	entry_function review_exit_entry, review_calls_exit
