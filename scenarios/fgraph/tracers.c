// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * More tracers than the one that is there from the start: they put words of their own on the return
 * stack, above the entry of the function, and ask for its return or not.
 */
#include "fgraph.h"
#include "ftrace.h"

/* Two words, and the return is wanted. */
SHAPE bool fgraph_data_begin(u64 func, struct fgraph_ops *gops, struct ftrace_regs *fregs)
{
	u64 *data = fgraph_reserve_data(gops, 2);

	if (!data)
		return false;
	data[0] = fregs->lr;
	data[1] = func;
	return true;
}

SHAPE void fgraph_data_end(u64 func, struct fgraph_ops *gops, struct ftrace_regs *fregs)
{
	(void)func;
	(void)gops;
	(void)fregs;
}

/* One word, and the return is not wanted: the word is given back. */
SHAPE bool fgraph_decline_begin(u64 func, struct fgraph_ops *gops, struct ftrace_regs *fregs)
{
	u64 *data = fgraph_reserve_data(gops, 1);

	if (data)
		*data = func ^ fregs->lr;
	return false;
}

/* No words. */
SHAPE bool fgraph_plain_begin(u64 func, struct fgraph_ops *gops, struct ftrace_regs *fregs)
{
	(void)func;
	(void)gops;
	(void)fregs;
	return true;
}

SHAPE void fgraph_plain_end(u64 func, struct fgraph_ops *gops, struct ftrace_regs *fregs)
{
	(void)func;
	(void)gops;
	(void)fregs;
}

static struct fgraph_ops data_ops = {
	.entryfunc = fgraph_data_begin,
	.retfunc = fgraph_data_end,
};
static struct fgraph_ops decline_ops = { .entryfunc = fgraph_decline_begin };
static struct fgraph_ops plain_ops = {
	.entryfunc = fgraph_plain_begin,
	.retfunc = fgraph_plain_end,
};

/* One tracer besides the usual one. x0 = 10: 31 */
SHAPE u64 fgraph_data_entry(u64 x)
{
	u64 result = register_ftrace_graph(&data_ops);

	HIDE(result);
	result += fgraph_leaf(x);
	HIDE(result);
	unregister_ftrace_graph(&data_ops);
	return result;
}

/* Three: words of two of them, returns of two of them. x0 = 10: 19 */
SHAPE u64 fgraph_several_entry(u64 x)
{
	u64 result = register_ftrace_graph(&data_ops);

	HIDE(result);
	result += register_ftrace_graph(&decline_ops);
	HIDE(result);
	result += register_ftrace_graph(&plain_ops);
	HIDE(result);
	result += fgraph_callee(x);
	HIDE(result);
	unregister_ftrace_graph(&plain_ops);
	unregister_ftrace_graph(&decline_ops);
	unregister_ftrace_graph(&data_ops);
	return result;
}

/* Words between entries of one frame: a chain of traced tail calls. x0 = 10: 66 */
SHAPE u64 fgraph_several_tail_entry(u64 x)
{
	u64 result = register_ftrace_graph(&data_ops);

	HIDE(result);
	result += register_ftrace_graph(&plain_ops);
	HIDE(result);
	result += fgraph_tail_first(x);
	HIDE(result);
	unregister_ftrace_graph(&plain_ops);
	unregister_ftrace_graph(&data_ops);
	return result;
}
