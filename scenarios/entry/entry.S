/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Next to nothing, so that a sweep at depth 2 is about the exception code itself. */
#include "linkage.h"

	.text

/* x0 = 5: 6 */
SYM_LEAF_FUNC_START(entry_trivial)
	add	x0, x0, #1
	ret
SYM_LEAF_FUNC_END(entry_trivial)

/* The same with IRQs masked by priority: only pseudo-NMIs come in. x0 = 5: 6 */
SYM_LEAF_FUNC_START(entry_irqs_off)
	adrp	x1, gic_pmr
	ldr	w2, [x1, :lo12:gic_pmr]
	mov	w3, #0xc0
	str	w3, [x1, :lo12:gic_pmr]
	add	x0, x0, #1
	str	w2, [x1, :lo12:gic_pmr]
	ret
SYM_LEAF_FUNC_END(entry_irqs_off)
