/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * strlen and strnlen: aligned words, the bytes before the string made non-zero. An aligned
 * load never crosses into a page the string is not in.
 */
#include "leaf.h"

/* x1 = cursor, aligned down; x2 = its first word, with the bytes before the string set */
	.macro	FIRST_WORD
	bic	x1, x0, #7
	ldr	x2, [x1]
	lsl	x3, x0, #3
	mov	x4, #-1
	lsl	x4, x4, x3
	orn	x2, x2, x4
	mov	x5, #0x0101010101010101
	.endm

/* x3 = a bit in each zero byte of x2; Z if there is none */
	.macro	ZERO_BYTES
	sub	x3, x2, x5
	bic	x3, x3, x2
	ands	x3, x3, #0x8080808080808080
	.endm

/* x0 = string. x0 = its length */
	.macro	strlen_body
	FIRST_WORD
1:	ZERO_BYTES
	b.ne	2f
	ldr	x2, [x1, #8]!
	b	1b
2:	rbit	x3, x3
	clz	x3, x3
	add	x1, x1, x3, lsr #3
	sub	x0, x1, x0
	ret
	.endm

/* x0 = string, x1 = limit. x0 = the lesser of length and limit */
	.macro	strnlen_body
	cbz	x1, 4f
	mov	x6, x1
	FIRST_WORD
1:	ZERO_BYTES
	b.ne	2f
	add	x1, x1, #8
	sub	x3, x1, x0
	cmp	x3, x6
	b.hs	3f
	ldr	x2, [x1]
	b	1b
2:	rbit	x3, x3
	clz	x3, x3
	add	x1, x1, x3, lsr #3
	sub	x0, x1, x0
	cmp	x0, x6
	csel	x0, x0, x6, lo
	ret
3:	mov	x0, x6
	ret
4:	mov	x0, #0
	ret
	.endm

	BOTH	strlen
	BOTH	strnlen
