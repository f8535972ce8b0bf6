/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recursion: the same return address again and again, told apart by SP only. The frame is
 * an odd multiple of 16 bytes, so that bit 4 of the CFA alternates from level to level.
 */
#include "asm.h"

/* x0 = 1 + .. + x0 */
FUNC recursion_sum
	bti	c
	cbz	x0, 1f
	PUSH_RECORD 48
	str	x0, [sp, #16]
	sub	x0, x0, #1
	bl	recursion_sum
	ldr	x1, [sp, #16]
	add	x0, x0, x1
	POP_RECORD 48
1:	ret
ENDFUNC recursion_sum
