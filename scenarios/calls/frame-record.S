/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the frame record lies in its frame. AAPCS64 leaves the place open: compilers put it
 * at the bottom (GCC), at the top (LLVM, GCC with a stack protector) or, with outgoing stack
 * arguments, in the middle. x29 points at the record, whatever surrounds it.
 */
#include "asm.h"

/* x0 = x0 * 3 + 1 */
FUNC record_leaf
	bti	c
	add	x0, x0, x0, lsl #1
	add	x0, x0, #1
	ret
ENDFUNC record_leaf

/* x0 = leaf(x0) + leaf(x0 + 1) */
FUNC record_bottom
	bti	c
	PUSH_RECORD 48
	stp	x19, x20, [sp, #16]
	.cfi_offset 19, -32
	.cfi_offset 20, -24
	mov	x19, x0
	bl	record_leaf
	mov	x20, x0
	str	x20, [sp, #32]
	add	x0, x19, #1
	bl	record_leaf
	ldr	x20, [sp, #32]
	add	x0, x0, x20
	ldp	x19, x20, [sp, #16]
	.cfi_restore 20
	.cfi_restore 19
	POP_RECORD 48
	ret
ENDFUNC record_bottom

FUNC record_top
	bti	c
	sub	sp, sp, #64
	.cfi_def_cfa_offset 64
	stp	x29, x30, [sp, #48]
	.cfi_offset 29, -16
	.cfi_offset 30, -8
	add	x29, sp, #48
	str	x19, [sp, #40]
	.cfi_offset 19, -24
	mov	x19, x0
	bl	record_leaf
	str	x0, [sp, #8]
	add	x0, x19, #1
	bl	record_leaf
	ldr	x1, [sp, #8]
	add	x0, x0, x1
	ldr	x19, [sp, #40]
	.cfi_restore 19
	ldp	x29, x30, [sp, #48]
	.cfi_restore 30
	.cfi_restore 29
	add	sp, sp, #64
	.cfi_def_cfa_offset 0
	ret
ENDFUNC record_top

/* Two outgoing stack arguments below the record, saved registers above it. */
FUNC record_middle
	bti	c
	sub	sp, sp, #80
	.cfi_def_cfa_offset 80
	stp	x29, x30, [sp, #32]
	.cfi_offset 29, -48
	.cfi_offset 30, -40
	add	x29, sp, #32
	stp	x19, x20, [sp, #48]
	.cfi_offset 19, -32
	.cfi_offset 20, -24
	mov	x19, x0
	str	x0, [sp]
	add	x1, x0, #1
	str	x1, [sp, #8]
	bl	record_stack_arguments
	mov	x20, x0
	mov	x0, x19
	bl	record_leaf
	add	x0, x0, x20
	ldp	x19, x20, [sp, #48]
	.cfi_restore 20
	.cfi_restore 19
	ldp	x29, x30, [sp, #32]
	.cfi_restore 30
	.cfi_restore 29
	add	sp, sp, #80
	.cfi_def_cfa_offset 0
	ret
ENDFUNC record_middle

/* x0 = the sum of two stack arguments, read from the caller's frame */
FUNC record_stack_arguments
	bti	c
	ldp	x0, x1, [sp]
	add	x0, x0, x1
	ret
ENDFUNC record_stack_arguments

/* The three shapes on one stack: top calls middle calls bottom. x0 = bottom(x0 + 1) + 100 + 10. */
FUNC record_mixed
	bti	c
	sub	sp, sp, #32
	.cfi_def_cfa_offset 32
	stp	x29, x30, [sp, #16]
	.cfi_offset 29, -16
	.cfi_offset 30, -8
	add	x29, sp, #16
	add	x0, x0, #1
	bl	record_mixed_middle
	add	x0, x0, #100
	ldp	x29, x30, [sp, #16]
	.cfi_restore 30
	.cfi_restore 29
	add	sp, sp, #32
	.cfi_def_cfa_offset 0
	ret
ENDFUNC record_mixed

FUNC record_mixed_middle
	bti	c
	sub	sp, sp, #48
	.cfi_def_cfa_offset 48
	stp	x29, x30, [sp, #16]
	.cfi_offset 29, -32
	.cfi_offset 30, -24
	add	x29, sp, #16
	bl	record_bottom
	add	x0, x0, #10
	ldp	x29, x30, [sp, #16]
	.cfi_restore 30
	.cfi_restore 29
	add	sp, sp, #48
	.cfi_def_cfa_offset 0
	ret
ENDFUNC record_mixed_middle
