/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Functions that can be traced: two patchable words behind the landing pad. */
#include "asm.h"

	.text

SYM_LEAF_FUNC_START(review_traced)
	nop
	nop
	add	x0, x0, x0, lsl #1
	ret
SYM_LEAF_FUNC_END(review_traced)

/* Lower by 16: then the CFA of what return_to_handler calls passes a test of bit 4. x0 = 5: 16 */
	entry_function review_traced_entry, review_traced, lower=16

/* Saves its return address and keeps x29 as it is: one frame pointer for two return addresses. */
SYM_CFI_FUNC_START(review_recordless)
	nop
	nop
	str	x30, [sp, #-16]!
	.cfi_def_cfa_offset 16
	.cfi_offset x30, -16
	bl	review_traced
	add	x0, x0, #1
	ldr	x30, [sp], #16
	.cfi_restore x30
	.cfi_def_cfa_offset 0
	ret
SYM_CFI_FUNC_END(review_recordless)

	entry_function review_recordless_entry, review_recordless	/* x0 = 5: 17 */
