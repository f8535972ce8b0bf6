/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * copy_page: x0 = destination page, x1 = source page, 4 KiB each. 128 bytes a turn.
 */
#include "leaf.h"

	.macro	COPY_LINE at
	ldp	x3, x4, [x1, #\at]
	ldp	x5, x6, [x1, #\at + 16]
	ldp	x7, x8, [x1, #\at + 32]
	ldp	x9, x10, [x1, #\at + 48]
	stp	x3, x4, [x0, #\at]
	stp	x5, x6, [x0, #\at + 16]
	stp	x7, x8, [x0, #\at + 32]
	stp	x9, x10, [x0, #\at + 48]
	.endm

	.macro	copy_page_body
	mov	x2, #4096 / 128
1:	COPY_LINE 0
	COPY_LINE 64
	add	x1, x1, #128
	add	x0, x0, #128
	subs	x2, x2, #1
	b.ne	1b
	ret
	.endm

	BOTH	copy_page
