/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses at which the host stops. */
#include "linkage.h"

	.text

/* x0 = task. The walk itself happens in the host, which may leave its answer in walk_result. */
SYM_LEAF_FUNC_START(arch_stack_walk_reliable)
	adrp	x0, walk_result
	ldr	w0, [x0, :lo12:walk_result]
	ret
SYM_LEAF_FUNC_END(arch_stack_walk_reliable)
NOKPROBE(arch_stack_walk_reliable)

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
