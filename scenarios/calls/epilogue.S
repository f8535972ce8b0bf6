/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Several epilogues in one function, each followed by code that runs with the frame still
 * there: `.cfi_remember_state` / `.cfi_restore_state`, and a shrink-wrapped prologue.
 */
#include "asm.h"

/* x0 = selector 0..3; three returns, the last block behind two epilogues */
FUNC epilogue_many
	bti	c
	PUSH_RECORD 32
	str	x19, [sp, #16]
	.cfi_offset 19, -16
	mov	x19, x0
	bl	leaf_without_frame
	cmp	x19, #1
	b.hi	2f
	b.eq	1f
	.cfi_remember_state
	add	x0, x0, #1
	ldr	x19, [sp, #16]
	.cfi_restore 19
	POP_RECORD 32
	ret
1:	.cfi_restore_state
	.cfi_remember_state
	add	x0, x0, #2
	ldr	x19, [sp, #16]
	.cfi_restore 19
	POP_RECORD 32
	ret
2:	.cfi_restore_state
	add	x0, x0, x19
	bl	leaf_without_frame
	ldr	x19, [sp, #16]
	.cfi_restore 19
	POP_RECORD 32
	ret
ENDFUNC epilogue_many

/* The frame exists on one path only; the way out of the other one is before it. */
FUNC epilogue_shrink_wrapped
	bti	c
	cbz	x0, 1f
	PUSH_RECORD 32
	str	x0, [sp, #16]
	bl	leaf_without_frame
	ldr	x1, [sp, #16]
	add	x0, x0, x1
	POP_RECORD 32
	ret
1:	mov	x0, #9
	ret
ENDFUNC epilogue_shrink_wrapped

/* x0 = many(0) + many(1) + many(2) + many(3) + shrink_wrapped(0) + shrink_wrapped(5) */
FUNC epilogue_entry
	bti	c
	PUSH_RECORD 32
	stp	x19, x20, [sp, #16]
	.cfi_offset 19, -16
	.cfi_offset 20, -8
	mov	x19, #0
	mov	x20, #0
1:	mov	x0, x19
	bl	epilogue_many
	add	x20, x20, x0
	add	x19, x19, #1
	cmp	x19, #4
	b.ne	1b
	mov	x0, #0
	bl	epilogue_shrink_wrapped
	add	x20, x20, x0
	mov	x0, #5
	bl	epilogue_shrink_wrapped
	add	x0, x0, x20
	ldp	x19, x20, [sp, #16]
	.cfi_restore 20
	.cfi_restore 19
	POP_RECORD 32
	ret
ENDFUNC epilogue_entry
