// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tracers of function entries. Patching the functions is the host's business; here it is decided
 * what ftrace_caller calls. Facts: kernel/trace/ftrace.c of v7.3-rc7.
 */
#include "entry.h"
#include "ftrace.h"

extern struct ftrace_ops *ftrace_ops_list;

/* What is called while there is no tracer. */
noinline void ftrace_stub(u64 ip, u64 parent_ip, struct ftrace_ops *op, struct ftrace_regs *fregs)
{
	(void)ip;
	(void)parent_ip;
	(void)op;
	(void)fregs;
}

/* Calls every tracer that wants the function. */
noinline void ftrace_ops_list_func(u64 ip, u64 parent_ip, struct ftrace_ops *op,
				   struct ftrace_regs *fregs)
{
	(void)op;
	preempt_count_add(1);
	for (op = ftrace_ops_list; op; op = op->next)
		if (!op->ip || op->ip == ip)
			op->func(ip, parent_ip, op, fregs);
	preempt_count_sub(1);
}

static void update_ftrace_function(void)
{
	struct ftrace_ops *only = ftrace_ops_list;

	if (!only) {
		WRITE_ONCE(ftrace_trace_function, ftrace_stub);
	} else if (only->next || only->ip) {
		WRITE_ONCE(ftrace_trace_function, ftrace_ops_list_func);
	} else {
		WRITE_ONCE(function_trace_op, only);
		barrier();
		WRITE_ONCE(ftrace_trace_function, only->func);
	}
}

noinline int register_ftrace_function(struct ftrace_ops *ops)
{
	struct ftrace_ops **at = &ftrace_ops_list;

	while (*at && *at != ops)
		at = &(*at)->next;
	if (*at)
		return -16;
	ops->next = NULL;
	*at = ops;
	update_ftrace_function();
	return 0;
}

noinline void unregister_ftrace_function(struct ftrace_ops *ops)
{
	struct ftrace_ops **at = &ftrace_ops_list;

	while (*at && *at != ops)
		at = &(*at)->next;
	if (!*at)
		return;
	*at = ops->next;
	update_ftrace_function();
}
