/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Macros of the hand-written call shapes. Every function states its unwind information
 * beside the instruction that makes it true, so that `.sframe` has a row per change.
 */

/* Opens a function. `align=0` puts it directly behind the code before it. */
	.macro	FUNC name, align=4
	.text
	.p2align \align
	.globl	\name
	.type	\name, %function
\name:
	.cfi_startproc
	.endm

	.macro	ENDFUNC name
	.cfi_endproc
	.size	\name, . - \name
	.endm

/* A frame of `size` bytes with the frame record at its bottom: the compiler's usual shape. */
	.macro	PUSH_RECORD size
	stp	x29, x30, [sp, #-\size]!
	.cfi_def_cfa_offset \size
	.cfi_offset 29, -\size
	.cfi_offset 30, 8 - \size
	mov	x29, sp
	.endm

	.macro	POP_RECORD size
	ldp	x29, x30, [sp], #\size
	.cfi_restore 30
	.cfi_restore 29
	.cfi_def_cfa_offset 0
	.endm
