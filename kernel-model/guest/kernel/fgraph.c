// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The function-graph return stack. Facts: kernel/trace/fgraph.c of v7.3-rc7: the order of the stores
 * matters, since an interrupt between any two of them may walk, or trace functions of its own.
 */
#include "entry.h"
#include "ftrace.h"
#include "kunwind.h"

/* The type word: size of the entry below it in words, a type, and which tracers want the return. */
#define FGRAPH_ENTRY_WORDS 4
#define FGRAPH_SIZE_MASK 0x3ff
#define FGRAPH_TYPE_RESERVED (0 << 10)
#define FGRAPH_TYPE_BITMAP (1 << 10)
#define FGRAPH_TRACER_0 (1 << 12)

#define WARN_FGRAPH_EMPTY 1
#define WARN_FGRAPH_FP 2

ftrace_func_t ftrace_trace_function = ftrace_graph_func;

/* The one tracer. */
static opaque bool fgraph_entry_handler(u64 func, struct ftrace_ret_stack *entry)
{
	(void)func;
	(void)entry;
	return true;
}

static opaque void fgraph_exit_handler(struct ftrace_ret_stack *entry, struct ftrace_regs *fregs)
{
	(void)entry;
	(void)fregs;
}

/* Puts an entry on the current task's return stack. Returns its index, negative if there is no room. */
static __always_inline s32 ftrace_push_return_trace(u64 ret, u64 func, u64 fp, u64 retp)
{
	struct task_struct *task = current;
	s32 index = READ_ONCE(task->curr_ret_stack);
	struct ftrace_ret_stack *entry;
	u64 *type;

	if (!task->ret_stack || index + FGRAPH_ENTRY_WORDS + 1 > KW_RET_STACK_WORDS)
		return -1;

	entry = (struct ftrace_ret_stack *)&task->ret_stack[index];
	type = &task->ret_stack[index + FGRAPH_ENTRY_WORDS];

	/* An interrupt after the index is raised must find an entry it can skip and a valid address. */
	WRITE_ONCE(*type, FGRAPH_TYPE_RESERVED | FGRAPH_ENTRY_WORDS);
	WRITE_ONCE(entry->ret, ret);
	barrier();
	WRITE_ONCE(task->curr_ret_stack, index + FGRAPH_ENTRY_WORDS + 1);
	barrier();
	/* One before it may have traced functions itself, over the words just written. */
	WRITE_ONCE(*type, FGRAPH_TYPE_RESERVED | FGRAPH_ENTRY_WORDS);
	WRITE_ONCE(entry->ret, ret);
	entry->func = func;
	entry->fp = fp;
	entry->retp = retp;
	return index;
}

/* Returns 0 if the function's return is to be traced. */
noinline int function_graph_enter(u64 ret, u64 func, u64 fp, u64 retp)
{
	struct task_struct *task = current;
	int result = -16;
	s32 index;

	preempt_count_add(1);
	task->curr_ret_depth++;
	index = ftrace_push_return_trace(ret, func, fp, retp);
	if (index >= 0) {
		if (fgraph_entry_handler(func, (struct ftrace_ret_stack *)&task->ret_stack[index])) {
			WRITE_ONCE(task->ret_stack[index + FGRAPH_ENTRY_WORDS],
				   FGRAPH_TRACER_0 | FGRAPH_TYPE_BITMAP | FGRAPH_ENTRY_WORDS);
			result = 0;
		} else {
			WRITE_ONCE(task->curr_ret_stack, index);
		}
	}
	if (result)
		task->curr_ret_depth--;
	preempt_count_sub(1);
	return result;
}

/* The tracer of ftrace_caller: makes the traced function return to return_to_handler. */
noinline void ftrace_graph_func(u64 ip, u64 parent_ip, void *op, struct ftrace_regs *fregs)
{
	(void)parent_ip;
	(void)op;
	if (!function_graph_enter(fregs->lr, ip, fregs->fp, fregs->fp))
		fregs->lr = (u64)return_to_handler;
}

/* Where a return goes whose return stack is broken. */
static noreturn noinline void ftrace_graph_stop(u64 what)
{
	__kw_warn(what);
	kunwind_done();
}

/* Returns the traced function's real return address. */
noinline u64 ftrace_return_to_handler(struct ftrace_regs *fregs)
{
	struct task_struct *task = current;
	s32 top = task->curr_ret_stack;
	struct ftrace_ret_stack *entry;
	s32 index;
	u64 type;
	u64 ret;

	if (top < FGRAPH_ENTRY_WORDS + 1)
		ftrace_graph_stop(WARN_FGRAPH_EMPTY);
	type = task->ret_stack[top - 1];
	index = top - 1 - (s32)(type & FGRAPH_SIZE_MASK);
	entry = (struct ftrace_ret_stack *)&task->ret_stack[index];
	if (fregs->fp != entry->fp)
		ftrace_graph_stop(WARN_FGRAPH_FP);
	ret = entry->ret;
	fregs->pc = ret;

	preempt_count_add(1);
	if (type & FGRAPH_TRACER_0)
		fgraph_exit_handler(entry, fregs);
	preempt_count_sub(1);

	/* From here until return_to_handler has moved it to x30, ret is in no place anyone knows of. */
	barrier();
	WRITE_ONCE(task->curr_ret_stack, index);
	WRITE_ONCE(task->curr_ret_depth, task->curr_ret_depth - 1);
	return ret;
}
