/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tail calls: the frame is gone before the branch, so the callee's return address is the
 * caller's, and the function that branched is not on the stack any more.
 */
#include "asm.h"

/* No frame at all: a branch and nothing else. */
FUNC tail_plain
	bti	c
	add	x0, x0, #1
	b	tail_framed
ENDFUNC tail_plain

/* Frame built, used, taken down, then the branch. */
FUNC tail_framed
	bti	c
	PUSH_RECORD 16
	bl	leaf_without_frame
	POP_RECORD 16
	b	tail_conditional
ENDFUNC tail_framed

/* The branch leaves from the middle; behind it the frame is still up. */
FUNC tail_conditional
	bti	c
	PUSH_RECORD 32
	tbz	x0, #0, 1f
	.cfi_remember_state
	add	x0, x0, #2
	POP_RECORD 32
	b	leaf_with_scratch
1:	.cfi_restore_state
	bl	leaf_with_scratch
	POP_RECORD 32
	b	tail_end
ENDFUNC tail_conditional

FUNC tail_end
	bti	c
	add	x0, x0, #5
	ret
ENDFUNC tail_end

/* x0 = plain(x0) + plain(x0 + 1): both ways out of tail_conditional */
FUNC tail_entry
	bti	c
	PUSH_RECORD 32
	stp	x19, x20, [sp, #16]
	.cfi_offset 19, -16
	.cfi_offset 20, -8
	mov	x19, x0
	bl	tail_plain
	mov	x20, x0
	add	x0, x19, #1
	bl	tail_plain
	add	x0, x0, x20
	ldp	x19, x20, [sp, #16]
	.cfi_restore 20
	.cfi_restore 19
	POP_RECORD 32
	ret
ENDFUNC tail_entry
