/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A call as the last instruction: the return address points past the end of the caller,
 * into the next symbol. Compilers produce this for callees that do not return.
 *
 * These callees do come back, to that address: `*_next` lies directly behind its caller,
 * inherits the caller's frame (its CFI says so from its first byte on) and returns for it.
 * So every call has its return, and the scenario ends like any other; a callee that left by
 * restoring an outer SP would leave calls pending for ever.
 */
#include "asm.h"

/* x0 = x0 + 4, with a frame of its own */
FUNC noreturn_callee
	bti	c
	PUSH_RECORD 16
	bl	leaf_without_frame
	add	x0, x0, #4
	POP_RECORD 16
	ret
ENDFUNC noreturn_callee

FUNC noreturn_caller
	bti	c
	PUSH_RECORD 32
	add	x0, x0, #1
	bl	noreturn_callee
ENDFUNC noreturn_caller

/*
 * The remembered state is the one every function starts in: `.cfi_restore` would not do here,
 * since the rules given at a function's first byte become its initial ones.
 */
FUNC noreturn_next, 0
	.cfi_remember_state
	.cfi_def_cfa_offset 32
	.cfi_offset 29, -32
	.cfi_offset 30, -24
	add	x0, x0, #2
	ldp	x29, x30, [sp], #32
	.cfi_restore_state
	ret
ENDFUNC noreturn_next

/* x0 = leaf_without_frame(x0 + 1) + 4 + 2 + 8 */
FUNC noreturn_entry
	bti	c
	PUSH_RECORD 16
	bl	noreturn_caller
	add	x0, x0, #8
	POP_RECORD 16
	ret
ENDFUNC noreturn_entry
