/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Indirect calls and jumps, with the BTI landing pads each needs: `bti c` where BLR, or BR
 * through x16/x17, arrives; `bti j` where another BR does; `bti jc` for both.
 */
#include "asm.h"

FUNC indirect_target_c
	bti	c
	add	x0, x0, #3
	ret
ENDFUNC indirect_target_c

FUNC indirect_target_jc
	bti	jc
	lsl	x0, x0, #1
	ret
ENDFUNC indirect_target_jc

/* Tail call through x16, which `bti c` admits. */
FUNC indirect_tail
	bti	c
	PUSH_RECORD 16
	bl	leaf_without_frame
	POP_RECORD 16
	adr	x16, indirect_target_c
	br	x16
ENDFUNC indirect_tail

/* Tail call through another register: the target must be `bti j` or `bti jc`. */
FUNC indirect_tail_jc
	bti	c
	adr	x9, indirect_target_jc
	br	x9
ENDFUNC indirect_tail_jc

/* A jump table inside a function with a frame. x0 = 0..2 */
FUNC indirect_table
	bti	c
	PUSH_RECORD 32
	str	x0, [sp, #16]
	adr	x9, 1f
	add	x9, x9, x0, lsl #4
	br	x9
	.p2align 4
1:	bti	j
	mov	x0, #11
	b	2f
	nop
	bti	j
	mov	x0, #22
	b	2f
	nop
	bti	j
	mov	x0, #33
2:	ldr	x8, [sp, #16]
	add	x0, x0, x8
	POP_RECORD 32
	ret
ENDFUNC indirect_table

/* x0 = the sum over every way: blr to each, br through each, the table's three cases */
FUNC indirect_entry
	bti	c
	PUSH_RECORD 48
	stp	x19, x20, [sp, #16]
	.cfi_offset 19, -32
	.cfi_offset 20, -24
	str	x21, [sp, #32]
	.cfi_offset 21, -16
	mov	x19, x0
	adr	x8, indirect_target_c
	blr	x8
	mov	x20, x0
	mov	x0, x19
	adr	x8, indirect_target_jc
	blr	x8
	add	x20, x20, x0
	mov	x0, x19
	adr	x21, indirect_tail
	blr	x21
	add	x20, x20, x0
	mov	x0, x19
	adr	x21, indirect_tail_jc
	blr	x21
	add	x20, x20, x0
	mov	x19, #0
1:	mov	x0, x19
	adr	x21, indirect_table
	blr	x21
	add	x20, x20, x0
	add	x19, x19, #1
	cmp	x19, #3
	b.ne	1b
	mov	x0, x20
	ldr	x21, [sp, #32]
	.cfi_restore 21
	ldp	x19, x20, [sp, #16]
	.cfi_restore 20
	.cfi_restore 19
	POP_RECORD 48
	ret
ENDFUNC indirect_entry
