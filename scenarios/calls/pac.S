/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signed return addresses: in x30 of a leaf, in the record, with key A and with key B, and
 * authenticated before a tail call. A stop between PACIASP and AUTIASP meets a signed one.
 */
#include "asm.h"

/* Signs x30 and keeps it there: the return address is in a register, and signed. */
FUNC pac_leaf_a
	paciasp
	.cfi_negate_ra_state
	add	x0, x0, #1
	autiasp
	.cfi_negate_ra_state
	ret
ENDFUNC pac_leaf_a

FUNC pac_leaf_b
	.cfi_b_key_frame
	pacibsp
	.cfi_negate_ra_state
	add	x0, x0, #2
	autibsp
	.cfi_negate_ra_state
	ret
ENDFUNC pac_leaf_b

FUNC pac_frame_a
	paciasp
	.cfi_negate_ra_state
	PUSH_RECORD 32
	bl	pac_leaf_a
	bl	pac_leaf_b
	POP_RECORD 32
	autiasp
	.cfi_negate_ra_state
	ret
ENDFUNC pac_frame_a

FUNC pac_frame_b
	.cfi_b_key_frame
	pacibsp
	.cfi_negate_ra_state
	PUSH_RECORD 48
	bl	pac_frame_a
	POP_RECORD 48
	autibsp
	.cfi_negate_ra_state
	b	pac_leaf_a
ENDFUNC pac_frame_b

/* Calls both from an unsigned frame. x0 = x0 + (1 + 2 + 1) + (1 + 2) */
FUNC pac_entry
	bti	c
	PUSH_RECORD 16
	bl	pac_frame_b
	bl	pac_frame_a
	POP_RECORD 16
	ret
ENDFUNC pac_entry
