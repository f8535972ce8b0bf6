/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Places where an SDEI event's plain frame record leaves out the interrupted function's caller: x30
 * alone holds its return address. All of it has correct CFI; the record hides that there is a need.
 */
#include "linkage.h"

	.text

/* No frame. x0 = 5: 12 */
SYM_LEAF_FUNC_START(sdei_leaf)
	add	x0, x0, #1
	lsl	x0, x0, #1
	ret
SYM_LEAF_FUNC_END(sdei_leaf)

/* A prologue that takes its time: the record is complete only at `mov x29, sp`. */
SYM_CFI_FUNC_START(sdei_prologue)
	sub	sp, sp, #32
	.cfi_def_cfa_offset 32
	str	x0, [sp, #16]
	stp	x29, x30, [sp]
	.cfi_offset x29, -32
	.cfi_offset x30, -24
	nop
	mov	x29, sp
	bl	sdei_leaf
	ldr	x1, [sp, #16]
	add	x0, x0, x1
	ldp	x29, x30, [sp], #32
	.cfi_restore x29
	.cfi_restore x30
	.cfi_def_cfa_offset 0
	ret
SYM_CFI_FUNC_END(sdei_prologue)

/* An epilogue that does: the caller's x29 is back before the return. */
SYM_CFI_FUNC_START(sdei_epilogue)
	stp	x29, x30, [sp, #-32]!
	.cfi_def_cfa_offset 32
	.cfi_offset x29, -32
	.cfi_offset x30, -24
	mov	x29, sp
	str	x0, [sp, #16]
	bl	sdei_leaf
	ldr	x1, [sp, #16]
	ldp	x29, x30, [sp]
	.cfi_restore x29
	.cfi_restore x30
	nop
	add	x0, x0, x1
	add	sp, sp, #32
	.cfi_def_cfa_offset 0
	nop
	ret
SYM_CFI_FUNC_END(sdei_epilogue)

/* The three entries keep a frame, so that it is the callee's caller that goes missing. */
.macro sdei_entry name:req, callee:req
SYM_CFI_FUNC_START(\name)
	stp	x29, x30, [sp, #-16]!
	.cfi_def_cfa_offset 16
	.cfi_offset x29, -16
	.cfi_offset x30, -8
	mov	x29, sp
	bl	\callee
	ldp	x29, x30, [sp], #16
	.cfi_restore x29
	.cfi_restore x30
	.cfi_def_cfa_offset 0
	ret
SYM_CFI_FUNC_END(\name)
.endm

	sdei_entry sdei_leaf_entry, sdei_leaf		/* x0 = 5: 12 */
	sdei_entry sdei_prologue_entry, sdei_prologue	/* x0 = 5: 17 */
	sdei_entry sdei_epilogue_entry, sdei_epilogue	/* x0 = 5: 17 */
