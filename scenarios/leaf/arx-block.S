/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A block of a stream cipher's kind: a 4 x 4 matrix of 32-bit words in v0..v3, mixed by
 * add, rotate and xor in columns and diagonals, then added to the input. All in registers
 * that no caller needs back.
 */
#include "leaf.h"

/* to = to rotated left by `bits`; v16 is scratch */
	.macro	ROTATE to, bits
	shl	v16.4s, v\to\().4s, #\bits
	sri	v16.4s, v\to\().4s, #32 - \bits
	mov	v\to\().16b, v16.16b
	.endm

	.macro	MIX
	add	v0.4s, v0.4s, v1.4s
	eor	v3.16b, v3.16b, v0.16b
	rev32	v3.8h, v3.8h
	add	v2.4s, v2.4s, v3.4s
	eor	v1.16b, v1.16b, v2.16b
	ROTATE	1, 11
	add	v0.4s, v0.4s, v1.4s
	eor	v3.16b, v3.16b, v0.16b
	ROTATE	3, 9
	add	v2.4s, v2.4s, v3.4s
	eor	v1.16b, v1.16b, v2.16b
	ROTATE	1, 6
	.endm

/* Turns rows 1, 2, 3 left by that many words. */
	.macro	TURN one, two, three
	ext	v1.16b, v1.16b, v1.16b, #4 * \one
	ext	v2.16b, v2.16b, v2.16b, #4 * \two
	ext	v3.16b, v3.16b, v3.16b, #4 * \three
	.endm

/* x0 = output, x1 = input (64 bytes each), x2 = rounds (> 0) of columns and diagonals */
	.macro	arx_block_body
	ldp	q0, q1, [x1]
	ldp	q2, q3, [x1, #32]
	mov	v4.16b, v0.16b
	mov	v5.16b, v1.16b
	mov	v6.16b, v2.16b
	mov	v7.16b, v3.16b
1:	MIX
	TURN	1, 2, 3
	MIX
	TURN	3, 2, 1
	subs	x2, x2, #1
	b.ne	1b
	add	v0.4s, v0.4s, v4.4s
	add	v1.4s, v1.4s, v5.4s
	add	v2.4s, v2.4s, v6.4s
	add	v3.4s, v3.4s, v7.4s
	stp	q0, q1, [x0]
	stp	q2, q3, [x0, #32]
	ret
	.endm

	BOTH	arx_block
