/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses at which the host stops. */
#include "linkage.h"

	.text

/* x0 = task. The walk itself is the host's business, which may leave its answer in walk_result. */
SYM_LEAF_FUNC_START(walk_request)
	adrp	x0, walk_result
	ldr	w0, [x0, :lo12:walk_result]
	ret
SYM_LEAF_FUNC_END(walk_request)
NOKPROBE(walk_request)

/*
 * The guest's own unwinder, which the host calls at a walk request. In assembly for the size of the
 * frame: sframe-v5 takes its address for an SP, and in the kernel builds at hand it is 96 bytes.
 */
SYM_CFI_FUNC_START(arch_stack_walk_reliable)
	stp	x29, x30, [sp, #-96]!
	.cfi_def_cfa_offset 96
	.cfi_offset x29, -96
	.cfi_offset x30, -88
	mov	x29, sp
	mov	x3, x29
	bl	kunwind_walk_reliable
	ldp	x29, x30, [sp], #96
	.cfi_restore x29
	.cfi_restore x30
	.cfi_def_cfa_offset 0
	ret
SYM_CFI_FUNC_END(arch_stack_walk_reliable)

SYM_CFI_FUNC_START(arch_stack_walk)
	stp	x29, x30, [sp, #-96]!
	.cfi_def_cfa_offset 96
	.cfi_offset x29, -96
	.cfi_offset x30, -88
	mov	x29, sp
	mov	x4, x29
	bl	kunwind_walk
	ldp	x29, x30, [sp], #96
	.cfi_restore x29
	.cfi_restore x30
	.cfi_def_cfa_offset 0
	ret
SYM_CFI_FUNC_END(arch_stack_walk)

/* x0 = which. Something the guest itself holds to be impossible; counted by the host. */
SYM_LEAF_FUNC_START(__kw_warn)
	ret
SYM_LEAF_FUNC_END(__kw_warn)

/* The ends of a run, good and bad. None returns. */
.macro stop_here name:req
SYM_LEAF_FUNC_START(\name)
	b	.
SYM_LEAF_FUNC_END(\name)
.endm

	stop_here kunwind_done
	stop_here __kw_unexpected_sync
	stop_here handle_bad_mode
	stop_here handle_bad_stack
