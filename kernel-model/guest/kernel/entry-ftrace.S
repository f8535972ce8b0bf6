/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two ends of tracing a function. No CFI. Facts: arch/arm64/kernel/entry-ftrace.S, v7.3-rc7. */
#include "asm-offsets.h"
#include "linkage.h"

	.text

/*
 * From a patched site, `mov x9, x30; bl ftrace_caller`: x9 is the traced function's return address,
 * x30 points after its patch site. Two records, because two calls are pending: the traced
 * function's own, and this one.
 */
SYM_CODE_START(ftrace_caller)
	bti	c
	mov	x10, sp
	sub	sp, sp, #(FREGS_SIZE + 32)
	stp	x0, x1, [sp, #FREGS_X0]
	stp	x2, x3, [sp, #FREGS_X2]
	stp	x4, x5, [sp, #FREGS_X4]
	stp	x6, x7, [sp, #FREGS_X6]
	str	x8, [sp, #FREGS_X8]
	str	xzr, [sp, #FREGS_DIRECT_TRAMP]
	str	x29, [sp, #FREGS_FP]
	str	x9, [sp, #FREGS_LR]
	str	x10, [sp, #FREGS_SP]
	str	x30, [sp, #FREGS_PC]

	stp	x29, x9, [sp, #FREGS_SIZE + 16]
	add	x29, sp, #FREGS_SIZE + 16
	stp	x29, x30, [sp, #FREGS_SIZE]
	add	x29, sp, #FREGS_SIZE

	sub	x0, x30, #4			// the patch site's BL
	mov	x1, x9				// parent
	adrp	x2, function_trace_op
	ldr	x2, [x2, :lo12:function_trace_op]
	mov	x3, sp				// ftrace_regs
	adrp	x4, ftrace_trace_function
	ldr	x4, [x4, :lo12:ftrace_trace_function]
	blr	x4

	ldp	x0, x1, [sp, #FREGS_X0]
	ldp	x2, x3, [sp, #FREGS_X2]
	ldp	x4, x5, [sp, #FREGS_X4]
	ldp	x6, x7, [sp, #FREGS_X6]
	ldr	x8, [sp, #FREGS_X8]
	ldr	x29, [sp, #FREGS_FP]
	ldr	x30, [sp, #FREGS_LR]		// perhaps return_to_handler by now
	ldr	x9, [sp, #FREGS_PC]
	add	sp, sp, #(FREGS_SIZE + 32)
	ret	x9
SYM_CODE_END(ftrace_caller)
NOKPROBE(ftrace_caller)

/*
 * Traced functions return here; the original address is on the task's return stack.
 *
 * FGRAPH_RECOVER: the entry stays on the return stack until x30 holds the address, all else is as the
 * traced function left it, and the entry is popped by one store of a scratch register. Up to and
 * including that store, x29 finds the entry; after it, x30 is the answer, and CFI says so.
 */
SYM_CODE_START(return_to_handler)
	sub	sp, sp, #FREGS_SIZE
	stp	x0, x1, [sp, #FREGS_X0]
	stp	x2, x3, [sp, #FREGS_X2]
	stp	x4, x5, [sp, #FREGS_X4]
	stp	x6, x7, [sp, #FREGS_X6]
	str	x29, [sp, #FREGS_FP]

	mov	x0, sp
	bl	ftrace_return_to_handler
	mov	x30, x0
#ifdef FGRAPH_RECOVER
	mov	x9, x1				// curr_ret_stack and curr_ret_depth
	mrs	x10, sp_el0
#endif

	ldp	x0, x1, [sp, #FREGS_X0]
	ldp	x2, x3, [sp, #FREGS_X2]
	ldp	x4, x5, [sp, #FREGS_X4]
	ldp	x6, x7, [sp, #FREGS_X6]
	add	sp, sp, #FREGS_SIZE
#ifdef FGRAPH_RECOVER
	str	x9, [x10, #KW_TSK_CURR_RET_STACK]
SYM_INNER_LABEL(return_to_handler_popped)
	.cfi_startproc
	ret
	.cfi_endproc
#else
	ret
#endif
.Lreturn_to_handler_end:
SYM_CODE_END(return_to_handler)
	.pushsection .rodata
	.balign	8
	.globl	return_to_handler_end
return_to_handler_end:
	.quad	.Lreturn_to_handler_end
	.popsection
