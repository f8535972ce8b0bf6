/* cflags: -fno-toplevel-reorder */
/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A compiled caller whose last instruction is a call. `compiled_noreturn_next` must lie
 * directly behind it, hence the fixed order; noreturn.S says why the callee comes back.
 */
#include "calls.h"

/* In noreturn.S; it returns, but the compiler must not know. */
__attribute__((noreturn)) void noreturn_callee(u64 x);

SHAPE void compiled_noreturn_caller(u64 x)
{
	HIDE(x);
	noreturn_callee(x + 1);
}

__asm__(".text\n"
	".globl compiled_noreturn_next\n"
	".type compiled_noreturn_next, %function\n"
	"compiled_noreturn_next:\n"
	"	.cfi_startproc\n"
	"	.cfi_remember_state\n"
	"	.cfi_negate_ra_state\n"
	"	.cfi_def_cfa_offset 16\n"
	"	.cfi_offset 29, -16\n"
	"	.cfi_offset 30, -8\n"
	"	add	x0, x0, #2\n"
	"	ldp	x29, x30, [sp], #16\n"
	"	.cfi_restore_state\n"
	"	.cfi_negate_ra_state\n"
	"	autiasp\n"
	"	.cfi_negate_ra_state\n"
	"	ret\n"
	"	.cfi_endproc\n"
	"	.size compiled_noreturn_next, . - compiled_noreturn_next\n");

SHAPE u64 compiled_noreturn_entry(u64 x)
{
	u64 (*caller)(u64) = (u64 (*)(u64))(void *)compiled_noreturn_caller;

	HIDE(caller);
	return caller(x) + 8;
}
