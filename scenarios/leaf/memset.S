/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memset. x0 = destination (and result), w1 = byte, x2 = length.
 */
#include "leaf.h"

/* x3 = destination, x4 = the byte eight times, x2 = length (used up) */
	.macro	FILL
	subs	x2, x2, #32
	b.lo	2f
1:	stp	x4, x4, [x3]
	stp	x4, x4, [x3, #16]
	add	x3, x3, #32
	subs	x2, x2, #32
	b.hs	1b
2:	tbz	x2, #4, 3f
	stp	x4, x4, [x3], #16
3:	tbz	x2, #3, 4f
	str	x4, [x3], #8
4:	tbz	x2, #2, 5f
	str	w4, [x3], #4
5:	tbz	x2, #1, 6f
	strh	w4, [x3], #2
6:	tbz	x2, #0, 7f
	strb	w4, [x3]
7:
	.endm

/* to = the low byte of w1 in all eight bytes */
	.macro	SPREAD to
	and	\to, x1, #0xff
	orr	\to, \to, \to, lsl #8
	orr	\to, \to, \to, lsl #16
	orr	\to, \to, \to, lsl #32
	.endm

	.macro	memset_body
	SPREAD	x4
	mov	x3, x0
	FILL
	ret
	.endm

	BOTH	memset

/*
 * Seeded: annotated as a leaf, but SP moves, by an odd multiple of 16. The annotation's CFA is
 * wrong for as long; the return address is in x30 all the time, where it says.
 */
	.macro	memset_moves_sp_body
	sub	sp, sp, #48
	str	x1, [sp, #8]
	ldrb	w1, [sp, #8]
	SPREAD	x4
	stp	x4, x4, [sp, #16]
	mov	x3, x0
	FILL
	add	sp, sp, #48
	ret
	.endm

/* Seeded: SP moves to make room for x30, which then holds the pattern. */
	.macro	memset_spills_lr_body
	stp	x30, x2, [sp, #-32]!
	SPREAD	x30
	mov	x4, x30
	mov	x3, x0
	FILL
	ldr	x30, [sp], #32
	ret
	.endm

/*
 * Seeded: x30 stays, but x29 is spilled and holds the length, which is no frame record's address.
 * What lies above the spilled x29 is the length again, for who takes the pair for a record.
 */
	.macro	memset_spills_fp_body
	stp	x29, x2, [sp, #-32]!
	mov	x29, x2
	SPREAD	x4
	mov	x3, x0
	FILL
	ldr	x29, [sp], #32
	ret
	.endm

	LEAF	leaf_memset_moves_sp, memset_moves_sp_body
	LEAF	leaf_memset_spills_lr, memset_spills_lr_body
	LEAF	leaf_memset_spills_fp, memset_spills_fp_body
