/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames of the review scenarios. All CFI is right at every instruction, whatever x29 is used for. */
#ifndef REVIEW_ASM_H
#define REVIEW_ASM_H

#include "asm-offsets.h"
#include "linkage.h"

/* Data in x29 that is aligned as a frame pointer is, and in no stack. */
#define ALIGNED_DATA	0x1230
/* Data in x29 that no frame pointer can be. */
#define ODD_DATA	0x1235

/* The usual frame: record at the bottom, x29 at the record. */
.macro push_record size:req
	stp	x29, x30, [sp, #-\size]!
	.cfi_def_cfa_offset \size
	.cfi_offset x29, -\size
	.cfi_offset x30, 8 - \size
	mov	x29, sp
.endm

.macro pop_record size:req
	ldp	x29, x30, [sp], #\size
	.cfi_restore x29
	.cfi_restore x30
	.cfi_def_cfa_offset 0
.endm

/* FP and LR saved at the top of the frame, and x29 free for other uses: CFA on SP. */
.macro save_record_top size:req
	sub	sp, sp, #\size
	.cfi_def_cfa_offset \size
	stp	x29, x30, [sp, #\size - 16]
	.cfi_offset x29, -16
	.cfi_offset x30, -8
.endm

.macro restore_record_top size:req
	ldp	x29, x30, [sp, #\size - 16]
	.cfi_restore x29
	.cfi_restore x30
	add	sp, sp, #\size
	.cfi_def_cfa_offset 0
.endm

/* An address in a function that is never called: where it is listed, a trace is wrong. */
.macro bystander register:req
	adrp	\register, review_bystander + 4
	add	\register, \register, :lo12:review_bystander + 4
.endm

/*
 * A function with a frame record that calls another and adds 1. SP is a multiple of 32 at the call,
 * wherever the stack starts, so that bit 4 of the callees' CFAs is what their frames make it; or it is
 * lower than such a multiple by 16.
 */
.macro entry_function name:req, callee:req, lower=0
SYM_CFI_FUNC_START(\name)
	push_record 16
	.cfi_def_cfa x29, 16
	mov	x9, sp
	and	sp, x9, #~31
	.if \lower
	sub	sp, sp, #\lower
	.endif
	bl	\callee
	mov	sp, x29
	.cfi_def_cfa sp, 16
	add	x0, x0, #1
	pop_record 16
	ret
SYM_CFI_FUNC_END(\name)
.endm

#endif
