/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames larger than 4 KiB: SP moves in two steps (an immediate shifted by 12 and the rest),
 * and the unwind offsets no longer fit into one byte.
 */
#include "asm.h"

/* x0 = x0 + 7, through memory */
FUNC large_leaf
	bti	c
	ldr	x0, [x1]
	add	x0, x0, #7
	str	x0, [x1]
	ret
ENDFUNC large_leaf

/* CFA on SP throughout; record at the bottom of 4096 + 512 bytes. */
FUNC large_frame_sp
	bti	c
	sub	sp, sp, #1, lsl #12
	.cfi_def_cfa_offset 4096
	sub	sp, sp, #512
	.cfi_def_cfa_offset 4608
	stp	x29, x30, [sp]
	.cfi_offset 29, -4608
	.cfi_offset 30, -4600
	mov	x29, sp
	add	x1, sp, #1, lsl #12
	add	x1, x1, #256
	str	x0, [x1]
	bl	large_leaf
	add	x0, x0, #1
	ldp	x29, x30, [sp]
	.cfi_restore 30
	.cfi_restore 29
	add	sp, sp, #512
	.cfi_def_cfa_offset 4096
	add	sp, sp, #1, lsl #12
	.cfi_def_cfa_offset 0
	ret
ENDFUNC large_frame_sp

/* Record pushed first, CFA moved to FP, then SP lowered: the CFA no longer cares how far. */
FUNC large_frame_fp
	bti	c
	PUSH_RECORD 16
	.cfi_def_cfa 29, 16
	sub	sp, sp, #1, lsl #12
	sub	sp, sp, #784
	mov	x1, sp
	str	x0, [x1]
	bl	large_leaf
	add	x0, x0, #2
	add	sp, sp, #1, lsl #12
	add	sp, sp, #784
	.cfi_def_cfa 31, 16
	POP_RECORD 16
	ret
ENDFUNC large_frame_fp
