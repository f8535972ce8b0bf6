/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What lies beside any kernel image: a handler that its interrupt entry can be pointed at, a thread
 * function, and the callback that takes down what the image's own unwinder finds. Everything else
 * is the image's. No unwind tables: to the image this is code that it knows nothing about.
 */
#include "linkage.h"
#include "walk-return.h"

	.text

/*
 * An interrupt, kprobe or SDEI handler: whatever the arguments are, asks for a walk of stub_walk_task,
 * or of the current task where that is 0. x0 at the request is the task, x1 what was in x0 here: the
 * pt_regs of a root interrupt handler. Returns 0.
 */
SYM_FUNC_START(stub_handler)
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	mov	x1, x0
	adrp	x0, stub_walk_task
	ldr	x0, [x0, :lo12:stub_walk_task]
	cbnz	x0, 1f
	mrs	x0, sp_el0
1:	bl	stub_walk_request
	WALK_RETURN
	mov	x0, #0
	ldp	x29, x30, [sp], #16
	ret
SYM_FUNC_END(stub_handler)

/* The host stops at the first instruction. Returns stub_walk_result. */
SYM_CODE_START(stub_walk_request)
	adrp	x0, stub_walk_result
	ldr	w0, [x0, :lo12:stub_walk_result]
	ret
SYM_CODE_END(stub_walk_request)

/* Thread function: x0 = { function, its eight arguments, room for its result }. Ends in stub_done. */
SYM_FUNC_START(stub_thread)
	stp	x29, x30, [sp, #-32]!
	mov	x29, sp
	str	x19, [sp, #16]
	mov	x19, x0
	ldr	x16, [x19]
	ldp	x0, x1, [x19, #8]
	ldp	x2, x3, [x19, #24]
	ldp	x4, x5, [x19, #40]
	ldp	x6, x7, [x19, #56]
	blr	x16
	str	x0, [x19, #72]
	bl	stub_done
	brk	#0x800
SYM_FUNC_END(stub_thread)

SYM_CODE_START(stub_done)
	b	.
SYM_CODE_END(stub_done)

/*
 * bool consume_entry(void *cookie, unsigned long pc): takes pc down in the struct that cookie points
 * to, { entries seen, entries it has room for, entries after which to stop, the entries ... }, and
 * returns whether to go on.
 */
SYM_FUNC_START(stub_consume_entry)
	ldp	x2, x3, [x0]
	cmp	x2, x3
	b.hs	1f
	add	x4, x0, x2, lsl #3
	str	x1, [x4, #24]
1:	add	x2, x2, #1
	str	x2, [x0]
	ldr	x3, [x0, #16]
	cmp	x2, x3
	cset	w0, lo
	ret
SYM_FUNC_END(stub_consume_entry)

/* What function graph calls at the entry of a traced function (1: trace it) and at its return. */
SYM_FUNC_START(stub_graph_entry)
	mov	w0, #1
	ret
SYM_FUNC_END(stub_graph_entry)

SYM_FUNC_START(stub_graph_return)
	ret
SYM_FUNC_END(stub_graph_return)

/* Where a call of the image's unwinder returns to when it was not called by code of its own. */
SYM_CODE_START(stub_returned)
	WALK_RETURN
	b	.
SYM_CODE_END(stub_returned)

	.data
	.balign 8
	.globl stub_walk_task
stub_walk_task:
	.quad 0
	.globl stub_walk_result
stub_walk_result:
	.quad 0
	.globl stub_trace
stub_trace:
	.quad 0, 512, 17408
	.fill 512, 8, 0
