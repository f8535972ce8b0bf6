/* cflags: -Wa,--no-warn */
/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A return address that waits in another register. The CFI says so; SFrame has no row for it,
 * so the assembler warns (silenced above) and leaves the function out of `.sframe`.
 */
#include "asm.h"

/* x0 = x0 * 3 + 1, with x30 as a scratch register */
FUNC lr_in_register
	bti	c
	mov	x15, x30
	.cfi_register 30, 15
	add	x30, x0, x0, lsl #1
	add	x0, x30, #1
	mov	x30, x15
	.cfi_restore 30
	ret
ENDFUNC lr_in_register

FUNC lr_in_register_entry
	bti	c
	PUSH_RECORD 16
	bl	lr_in_register
	add	x0, x0, #5
	POP_RECORD 16
	ret
ENDFUNC lr_in_register_entry
