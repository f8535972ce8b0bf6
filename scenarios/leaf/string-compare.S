/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * strcmp, with words while both strings are aligned alike, and strncmp, byte by byte.
 * The result is the difference of the first unequal bytes, or 0.
 */
#include "leaf.h"

	.macro	strcmp_body
	eor	x2, x0, x1
	tst	x2, #7
	b.ne	5f
1:	tst	x0, #7
	b.eq	2f
	ldrb	w2, [x0], #1
	ldrb	w3, [x1], #1
	cmp	w2, #0
	ccmp	w2, w3, #0, ne
	b.eq	1b
	sub	w0, w2, w3
	sxtw	x0, w0
	ret
2:	mov	x6, #0x0101010101010101
3:	ldr	x2, [x0], #8
	ldr	x3, [x1], #8
	sub	x4, x2, x6
	bic	x4, x4, x2
	ands	x4, x4, #0x8080808080808080
	b.ne	4f
	cmp	x2, x3
	b.eq	3b
/* The word holds the end or a difference: bytes decide. */
4:	sub	x0, x0, #8
	sub	x1, x1, #8
5:	ldrb	w2, [x0], #1
	ldrb	w3, [x1], #1
	cmp	w2, #0
	ccmp	w2, w3, #0, ne
	b.eq	5b
	sub	w0, w2, w3
	sxtw	x0, w0
	ret
	.endm

/* x2 = limit */
	.macro	strncmp_body
	cbz	x2, 2f
1:	ldrb	w3, [x0], #1
	ldrb	w4, [x1], #1
	cmp	w3, w4
	b.ne	3f
	cbz	w3, 2f
	subs	x2, x2, #1
	b.ne	1b
2:	mov	x0, #0
	ret
3:	sub	w0, w3, w4
	sxtw	x0, w0
	ret
	.endm

	BOTH	strcmp
	BOTH	strncmp
