/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Functions that call nothing and so need no record: without a frame, and with scratch
 * space on the stack. Their caller is found through x30 alone.
 */
#include "asm.h"

FUNC leaf_without_frame
	bti	c
	eor	x1, x0, x0, lsl #4
	add	x0, x1, #3
	ret
ENDFUNC leaf_without_frame

/* SP moves, x30 and x29 stay: only the CFA changes. x0 = x0 with its two low bytes swapped */
FUNC leaf_with_scratch
	bti	c
	sub	sp, sp, #16
	.cfi_def_cfa_offset 16
	str	x0, [sp, #8]
	ldrb	w1, [sp, #8]
	ldrb	w2, [sp, #9]
	strb	w2, [sp, #8]
	strb	w1, [sp, #9]
	ldr	x0, [sp, #8]
	add	sp, sp, #16
	.cfi_def_cfa_offset 0
	ret
ENDFUNC leaf_with_scratch

/* x0 = scratch(leaf(x0)) */
FUNC leaf_caller
	bti	c
	PUSH_RECORD 16
	bl	leaf_without_frame
	bl	leaf_with_scratch
	POP_RECORD 16
	ret
ENDFUNC leaf_caller

/*
 * Calls without a frame record, LR saved where the CFI says. The CFI is right and x29 is
 * intact, but the kernel's unwinder asks CFI only for the interrupted function: from a
 * callee it follows x29 and never learns of this one.
 */
FUNC caller_without_record
	bti	c
	str	x30, [sp, #-32]!
	.cfi_def_cfa_offset 32
	.cfi_offset 30, -32
	bl	leaf_without_frame
	add	x0, x0, #1
	ldr	x30, [sp], #32
	.cfi_restore 30
	.cfi_def_cfa_offset 0
	ret
ENDFUNC caller_without_record

FUNC without_record_entry
	bti	c
	PUSH_RECORD 16
	bl	caller_without_record
	add	x0, x0, #1
	POP_RECORD 16
	ret
ENDFUNC without_record_entry
