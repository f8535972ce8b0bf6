/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SP moves by an amount that only the running code knows, so the CFA must hang on FP; and
 * functions that use both, depending on the path taken.
 */
#include "asm.h"

/* Stores x1 words below SP counted down from x0, sums them. x0 = base, x1 = count > 0 */
FUNC dynamic_leaf
	bti	c
	mov	x2, #0
1:	str	x1, [x0], #8
	add	x2, x2, x1
	subs	x1, x1, #1
	b.ne	1b
	mov	x0, x2
	ret
ENDFUNC dynamic_leaf

/* x0 = number of words to put on the stack; returns their sum 1 + .. + x0 */
FUNC dynamic_sp
	bti	c
	PUSH_RECORD 32
	.cfi_def_cfa 29, 32
	mov	x1, x0
	lsl	x2, x0, #3
	add	x2, x2, #15
	and	x2, x2, #~15
	sub	sp, sp, x2
	mov	x0, sp
	bl	dynamic_leaf
	mov	sp, x29
	.cfi_def_cfa 31, 32
	POP_RECORD 32
	ret
ENDFUNC dynamic_sp

/* Odd x0: a block on the stack, CFA on FP. Even x0: CFA on SP to the end. One epilogue each. */
FUNC dynamic_branch
	bti	c
	PUSH_RECORD 48
	tbz	x0, #0, 1f
	.cfi_remember_state
	.cfi_def_cfa 29, 48
	mov	x1, x0
	lsl	x2, x0, #4
	sub	sp, sp, x2
	mov	x0, sp
	bl	dynamic_leaf
	mov	sp, x29
	.cfi_def_cfa 31, 48
	POP_RECORD 48
	ret
1:	.cfi_restore_state
	add	x1, sp, #16
	str	x0, [x1]
	bl	large_leaf
	POP_RECORD 48
	ret
ENDFUNC dynamic_branch

/* x0 = branch(x0) + branch(x0 + 1): both paths */
FUNC dynamic_both
	bti	c
	PUSH_RECORD 32
	stp	x19, x20, [sp, #16]
	.cfi_offset 19, -16
	.cfi_offset 20, -8
	mov	x19, x0
	bl	dynamic_branch
	mov	x20, x0
	add	x0, x19, #1
	bl	dynamic_branch
	add	x0, x0, x20
	ldp	x19, x20, [sp, #16]
	.cfi_restore 20
	.cfi_restore 19
	POP_RECORD 32
	ret
ENDFUNC dynamic_both
