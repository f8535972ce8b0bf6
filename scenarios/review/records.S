/* cflags: -Wa,--no-warn */
/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where return address and frame pointer are saved, and what a walk that has loaded them may still
 * read; records that are half written; records that must not be believed.
 */
#include "asm.h"

	.text

/* FP below LR, as STP has it; x29 holds data. x0 + 1 */
SYM_CFI_FUNC_START(review_fp_below_ra)
	sub	sp, sp, #32
	.cfi_def_cfa_offset 32
	stp	x29, x30, [sp, #16]
	.cfi_offset x29, -16
	.cfi_offset x30, -8
	mov	x29, #ALIGNED_DATA
	add	x0, x0, #1
	ldp	x29, x30, [sp, #16]
	.cfi_restore x29
	.cfi_restore x30
	add	sp, sp, #32
	.cfi_def_cfa_offset 0
	ret
SYM_CFI_FUNC_END(review_fp_below_ra)

/* The same with FP above LR. */
SYM_CFI_FUNC_START(review_fp_above_ra)
	sub	sp, sp, #32
	.cfi_def_cfa_offset 32
	stp	x30, x29, [sp, #16]
	.cfi_offset x29, -8
	.cfi_offset x30, -16
	mov	x29, #ALIGNED_DATA
	add	x0, x0, #1
	ldp	x30, x29, [sp, #16]
	.cfi_restore x29
	.cfi_restore x30
	add	sp, sp, #32
	.cfi_def_cfa_offset 0
	ret
SYM_CFI_FUNC_END(review_fp_above_ra)

	entry_function review_fp_below_ra_entry, review_fp_below_ra	/* x0 = 5: 7 */
	entry_function review_fp_above_ra_entry, review_fp_above_ra	/* x0 = 5: 7 */

/* Called with x29 inside the frame it is about to make; what it keeps there looks like a record. */
SYM_CFI_FUNC_START(review_buffer)
	stp	x1, x2, [sp, #-64]!
	.cfi_def_cfa_offset 64
	str	x30, [sp, #56]
	.cfi_offset x30, -8
	add	x0, x0, #1
	ldr	x30, [sp, #56]
	.cfi_restore x30
	add	sp, sp, #64
	.cfi_def_cfa_offset 0
	ret
SYM_CFI_FUNC_END(review_buffer)

/* x29 = 64 bytes below SP: where the callee's buffer will be */
SYM_CFI_FUNC_START(review_calls_buffer)
	save_record_top 32
	mov	x1, x29
	bystander x2
	sub	x29, sp, #64
	bl	review_buffer
	restore_record_top 32
	ret
SYM_CFI_FUNC_END(review_calls_buffer)

	entry_function review_buffer_entry, review_calls_buffer		/* x0 = 5: 7 */

/*
 * x29 points at a record before anything is in it but what a former local left: the registers are in
 * the frame already, and CFI says where, and then the record gets its two words one after the other.
 */
SYM_CFI_FUNC_START(review_half_record)
	save_record_top 48
	bystander x10
	stp	x10, x10, [sp]
	ldr	x9, [sp, #32]
	mov	x29, sp
	add	x0, x0, #1
	str	x9, [sp]
	add	x0, x0, #1
	str	x30, [sp, #8]
	add	x0, x0, #1
	restore_record_top 48
	ret
SYM_CFI_FUNC_END(review_half_record)

	entry_function review_half_record_entry, review_half_record	/* x0 = 5: 9 */

/* A record stored by halves. FP on the stack and RA in x30 has no SFrame form: there is no entry. */
SYM_CFI_FUNC_START(review_split_record)
	bystander x10
	stp	x10, x10, [sp, #-16]!
	.cfi_def_cfa_offset 16
	str	x29, [sp]
	.cfi_offset x29, -16
	mov	x29, sp
	add	x0, x0, #1
	str	x30, [sp, #8]
	.cfi_offset x30, -8
	add	x0, x0, #1
	ldp	x29, x30, [sp], #16
	.cfi_restore x29
	.cfi_restore x30
	.cfi_def_cfa_offset 0
	ret
SYM_CFI_FUNC_END(review_split_record)

	entry_function review_split_record_entry, review_split_record	/* x0 = 5: 8 */

/* Its frame record, complete and right, is on the IRQ stack: x29 leads there and back. */
SYM_CFI_FUNC_START(review_left_stack)
	save_record_top 32
	adrp	x1, irq_stack_ptr
	ldr	x1, [x1, :lo12:irq_stack_ptr]
	stp	x29, x30, [x1]
	mov	x29, x1
	bl	review_leaf
	restore_record_top 32
	ret
SYM_CFI_FUNC_END(review_left_stack)

	entry_function review_left_stack_entry, review_left_stack	/* x0 = 5: 16 */

/* x29 at a FINAL record that is not the task's. */
SYM_CFI_FUNC_START(review_false_final)
	save_record_top 64
	stp	xzr, xzr, [sp]
	mov	x1, #KW_FRAME_META_FINAL
	str	x1, [sp, #16]
	mov	x29, sp
	bl	review_leaf
	restore_record_top 64
	ret
SYM_CFI_FUNC_END(review_false_final)

	entry_function review_false_final_entry, review_false_final	/* x0 = 5: 16 */
