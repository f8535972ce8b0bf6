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
#define FGRAPH_TYPE_DATA (2 << 10)
#define FGRAPH_BITMAP_SHIFT 12
#define FGRAPH_BITMAP_MASK 0xffff
#define FGRAPH_INDEX_SHIFT 12
#define FGRAPH_DATA_SHIFT 16

#define WARN_FGRAPH_EMPTY 1
#define WARN_FGRAPH_FP 2

/* The tracer that is there from the start. */
static opaque bool fgraph_entry_handler(u64 func, struct fgraph_ops *gops, struct ftrace_regs *fregs)
{
	(void)func;
	(void)gops;
	(void)fregs;
	return true;
}

static opaque void fgraph_exit_handler(u64 func, struct fgraph_ops *gops, struct ftrace_regs *fregs)
{
	(void)func;
	(void)gops;
	(void)fregs;
}

struct fgraph_ops kunwind_graph_ops = {
	.entryfunc = fgraph_entry_handler,
	.retfunc = fgraph_exit_handler,
};

static struct fgraph_ops *fgraph_array[FGRAPH_ARRAY_SIZE] = { &kunwind_graph_ops };
/* One past the highest index in use. */
static u64 fgraph_array_used = 1;

static struct ftrace_ops graph_ops = { .func = ftrace_graph_func };

/* Entries of the list of graph_ops, which is registered from the start, too. */
struct ftrace_ops *ftrace_ops_list = &graph_ops;
ftrace_func_t ftrace_trace_function = ftrace_graph_func;
struct ftrace_ops *function_trace_op = &graph_ops;

noinline int register_ftrace_graph(struct fgraph_ops *gops)
{
	u64 idx = 0;
	u64 i;
	bool first = true;

	for (i = 0; i < FGRAPH_ARRAY_SIZE; i++)
		if (fgraph_array[i])
			first = false;
	while (idx < FGRAPH_ARRAY_SIZE && fgraph_array[idx])
		idx++;
	if (idx == FGRAPH_ARRAY_SIZE)
		return -28;
	gops->idx = idx;
	fgraph_array[idx] = gops;
	if (fgraph_array_used <= idx)
		fgraph_array_used = idx + 1;
	return first ? register_ftrace_function(&graph_ops) : 0;
}

noinline void unregister_ftrace_graph(struct fgraph_ops *gops)
{
	if (fgraph_array[gops->idx] != gops)
		return;
	fgraph_array[gops->idx] = NULL;
	while (fgraph_array_used && !fgraph_array[fgraph_array_used - 1])
		fgraph_array_used--;
	if (!fgraph_array_used)
		unregister_ftrace_function(&graph_ops);
}

/*
 * The size in a data word counts down to the entry's first word, so that the word on top leads to
 * the entry whatever it is. In between, an interrupt must find the word it will be.
 */
noinline u64 *fgraph_reserve_data(struct fgraph_ops *gops, u64 words)
{
	struct task_struct *task = current;
	s32 top = READ_ONCE(task->curr_ret_stack);
	u64 below = task->ret_stack[top - 1] & FGRAPH_SIZE_MASK;
	s32 end = top + (s32)words + 1;
	u64 type = FGRAPH_TYPE_DATA | (gops->idx << FGRAPH_INDEX_SHIFT) |
		   (words << FGRAPH_DATA_SHIFT) | (below + words + 1);

	if (end > KW_RET_STACK_WORDS)
		return NULL;
	WRITE_ONCE(task->ret_stack[end - 1], type);
	barrier();
	WRITE_ONCE(task->curr_ret_stack, end);
	barrier();
	WRITE_ONCE(task->ret_stack[end - 1], type);
	return &task->ret_stack[top];
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

/* Asks every tracer that wants the function. Returns the bits of those that want its return. */
static __always_inline u64 fgraph_ask(u64 func, struct ftrace_regs *fregs)
{
	u64 bitmap = 0;
	u64 i;

	for (i = 0; i < fgraph_array_used; i++) {
		struct fgraph_ops *gops = fgraph_array[i];
		s32 saved = READ_ONCE(current->curr_ret_stack);

		if (!gops || (gops->func && gops->func != func))
			continue;
		if (gops->entryfunc(func, gops, fregs))
			bitmap |= 1UL << i;
		else
			WRITE_ONCE(current->curr_ret_stack, saved); /* its data, too */
	}
	return bitmap;
}

/* Returns 0 if the function's return is to be traced. */
noinline int function_graph_enter(u64 ret, u64 func, u64 fp, u64 retp, struct ftrace_regs *fregs)
{
	struct task_struct *task = current;
	int result = -16;
	u64 bitmap;
	s32 index;

	preempt_count_add(1);
	task->curr_ret_depth++;
	index = ftrace_push_return_trace(ret, func, fp, retp);
	if (index >= 0) {
		bitmap = fgraph_ask(func, fregs);
		if (bitmap) {
			WRITE_ONCE(task->ret_stack[index + FGRAPH_ENTRY_WORDS],
				   (bitmap << FGRAPH_BITMAP_SHIFT) | FGRAPH_TYPE_BITMAP |
					   FGRAPH_ENTRY_WORDS);
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

/* The graph tracers' entry callback: makes the traced function return to return_to_handler. */
noinline void ftrace_graph_func(u64 ip, u64 parent_ip, struct ftrace_ops *op, struct ftrace_regs *fregs)
{
	(void)parent_ip;
	(void)op;
	if (!function_graph_enter(fregs->lr, ip, fregs->fp, fregs->fp, fregs))
		fregs->lr = (u64)return_to_handler;
}

/* Where a return goes whose return stack is broken. */
static noreturn noinline void ftrace_graph_stop(u64 what)
{
	__kw_warn(what);
	kunwind_done();
}

/* Finds the entry on top and runs the handlers that want the return. Returns the entry's index. */
static __always_inline s32 ftrace_run_return_handlers(struct ftrace_regs *fregs, u64 *ret)
{
	struct task_struct *task = current;
	s32 top = task->curr_ret_stack;
	struct ftrace_ret_stack *entry;
	s32 index;
	u64 wanted;
	u64 i;

	if (top < FGRAPH_ENTRY_WORDS + 1)
		ftrace_graph_stop(WARN_FGRAPH_EMPTY);
	index = top - 1 - (s32)(task->ret_stack[top - 1] & FGRAPH_SIZE_MASK);
	entry = (struct ftrace_ret_stack *)&task->ret_stack[index];
	if (fregs->fp != entry->fp)
		ftrace_graph_stop(WARN_FGRAPH_FP);
	*ret = entry->ret;
	fregs->pc = entry->ret;

	preempt_count_add(1);
	wanted = (task->ret_stack[index + FGRAPH_ENTRY_WORDS] >> FGRAPH_BITMAP_SHIFT) &
		 FGRAPH_BITMAP_MASK;
	for (i = 0; wanted; i++, wanted >>= 1) {
		struct fgraph_ops *gops = fgraph_array[i];

		if ((wanted & 1) && gops && gops->retfunc)
			gops->retfunc(entry->func, gops, fregs);
	}
	preempt_count_sub(1);
	return index;
}

#ifdef FGRAPH_RECOVER

/* Leaves the entry where it is: return_to_handler pops it once the address is in x30. */
noinline struct ftrace_return ftrace_return_to_handler(struct ftrace_regs *fregs)
{
	struct ftrace_return result;
	s32 index = ftrace_run_return_handlers(fregs, &result.ret);

	result.popped = (u64)(u32)index | (u64)(u32)(current->curr_ret_depth - 1) << 32;
	return result;
}

#else

/* Returns the traced function's real return address. */
noinline u64 ftrace_return_to_handler(struct ftrace_regs *fregs)
{
	u64 ret;
	s32 index = ftrace_run_return_handlers(fregs, &ret);
	struct task_struct *task = current;

	/* From here until return_to_handler has moved it to x30, ret is in no place anyone knows of. */
	barrier();
	WRITE_ONCE(task->curr_ret_stack, index);
	WRITE_ONCE(task->curr_ret_depth, task->curr_ret_depth - 1);
	return ret;
}

#endif
