/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memcpy and memmove. x0 = destination (and result), x1 = source, x2 = length.
 * Whole 64-byte lines, whole 16-byte pairs, then the low four bits of the length in turn.
 */
#include "leaf.h"

/* Upwards: x3 = cursor of the destination, x1 = of the source; x2 is used up. */
	.macro	COPY_UP
	subs	x2, x2, #64
	b.lo	2f
1:	ldp	x4, x5, [x1]
	ldp	x6, x7, [x1, #16]
	ldp	x8, x9, [x1, #32]
	ldp	x10, x11, [x1, #48]
	add	x1, x1, #64
	stp	x4, x5, [x3]
	stp	x6, x7, [x3, #16]
	stp	x8, x9, [x3, #32]
	stp	x10, x11, [x3, #48]
	add	x3, x3, #64
	subs	x2, x2, #64
	b.hs	1b
2:	adds	x2, x2, #48
	b.mi	4f
3:	ldp	x4, x5, [x1], #16
	stp	x4, x5, [x3], #16
	subs	x2, x2, #16
	b.pl	3b
4:	tbz	x2, #3, 5f
	ldr	x4, [x1], #8
	str	x4, [x3], #8
5:	tbz	x2, #2, 6f
	ldr	w4, [x1], #4
	str	w4, [x3], #4
6:	tbz	x2, #1, 7f
	ldrh	w4, [x1], #2
	strh	w4, [x3], #2
7:	tbz	x2, #0, 8f
	ldrb	w4, [x1]
	strb	w4, [x3]
8:
	.endm

/* Downwards: x3 and x1 point past the last byte still to copy. */
	.macro	COPY_DOWN
	subs	x2, x2, #16
	b.lo	2f
1:	ldp	x4, x5, [x1, #-16]!
	stp	x4, x5, [x3, #-16]!
	subs	x2, x2, #16
	b.hs	1b
2:	tbz	x2, #3, 3f
	ldr	x4, [x1, #-8]!
	str	x4, [x3, #-8]!
3:	tbz	x2, #2, 4f
	ldr	w4, [x1, #-4]!
	str	w4, [x3, #-4]!
4:	tbz	x2, #1, 5f
	ldrh	w4, [x1, #-2]!
	strh	w4, [x3, #-2]!
5:	tbz	x2, #0, 6f
	ldrb	w4, [x1, #-1]
	strb	w4, [x3, #-1]
6:
	.endm

	.macro	memcpy_body
	mov	x3, x0
	COPY_UP
	ret
	.endm

/* Downwards only if the destination starts inside the source: (dst - src) < length, unsigned. */
	.macro	memmove_body
	sub	x4, x0, x1
	cmp	x4, x2
	b.lo	9f
	mov	x3, x0
	COPY_UP
	ret
9:	add	x3, x0, x2
	add	x1, x1, x2
	COPY_DOWN
	ret
	.endm

	BOTH	memcpy
	BOTH	memmove

/*
 * Seeded: annotated as a leaf, but it calls. The return address waits in x15, which the
 * annotation knows nothing of: from the BL on, x30 is an address in here.
 */
	.macro	memcpy_moves_lr_body
	mov	x15, x30
	mov	x3, x0
	bl	leaf_memcpy_inner
	ret	x15
	.endm

/* The copying itself; a true leaf. Called by leaf_memcpy_moves_lr only. */
	.macro	memcpy_inner_body
	COPY_UP
	ret
	.endm

	LEAF	leaf_memcpy_moves_lr, memcpy_moves_lr_body
	LEAF	leaf_memcpy_inner, memcpy_inner_body
