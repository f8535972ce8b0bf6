/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * strchr and strrchr: x0 = string, w1 = character (0 finds the terminator). x0 = where, or 0.
 */
#include "leaf.h"

	.macro	strchr_body
	and	w1, w1, #0xff
1:	ldrb	w2, [x0]
	cmp	w2, w1
	b.eq	2f
	add	x0, x0, #1
	cbnz	w2, 1b
	mov	x0, #0
2:	ret
	.endm

	.macro	strrchr_body
	and	w1, w1, #0xff
	mov	x3, x0
	mov	x0, #0
1:	ldrb	w2, [x3]
	cmp	w2, w1
	csel	x0, x3, x0, eq
	add	x3, x3, #1
	cbnz	w2, 1b
	ret
	.endm

	BOTH	strchr
	BOTH	strrchr
