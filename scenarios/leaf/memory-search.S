/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memcmp and memchr. Eight bytes at a time, then one at a time.
 */
#include "leaf.h"

/* x0, x1 = the two blocks, x2 = length. x0 = difference of the first unequal bytes, or 0 */
	.macro	memcmp_body
	subs	x2, x2, #8
	b.lo	2f
1:	ldr	x3, [x0], #8
	ldr	x4, [x1], #8
	cmp	x3, x4
	b.ne	5f
	subs	x2, x2, #8
	b.hs	1b
2:	adds	x2, x2, #8
	b.eq	4f
3:	ldrb	w3, [x0], #1
	ldrb	w4, [x1], #1
	subs	w5, w3, w4
	b.ne	6f
	subs	x2, x2, #1
	b.ne	3b
4:	mov	x0, #0
	ret
5:	eor	x5, x3, x4
	rbit	x5, x5
	clz	x5, x5
	and	x5, x5, #~7
	lsr	x3, x3, x5
	lsr	x4, x4, x5
	and	w3, w3, #0xff
	and	w4, w4, #0xff
	sub	w5, w3, w4
6:	sxtw	x0, w5
	ret
	.endm

/*
 * x0 = block, w1 = byte, x2 = length. x0 = address of the first such byte, or 0. A byte of
 * v is zero if it is set in (v - 0x01..) & ~v & 0x80..; the lowest one found is true.
 */
	.macro	memchr_body
	and	w1, w1, #0xff
	subs	x2, x2, #8
	b.lo	2f
	mov	x5, #0x0101010101010101
	mul	x6, x5, x1
1:	ldr	x3, [x0], #8
	eor	x3, x3, x6
	sub	x4, x3, x5
	bic	x4, x4, x3
	ands	x4, x4, #0x8080808080808080
	b.ne	5f
	subs	x2, x2, #8
	b.hs	1b
2:	adds	x2, x2, #8
	b.eq	4f
3:	ldrb	w3, [x0], #1
	cmp	w3, w1
	b.eq	6f
	subs	x2, x2, #1
	b.ne	3b
4:	mov	x0, #0
	ret
5:	rbit	x4, x4
	clz	x4, x4
	sub	x0, x0, #8
	add	x0, x0, x4, lsr #3
	ret
6:	sub	x0, x0, #1
	ret
	.endm

	BOTH	memcmp
	BOTH	memchr
