/* cflags: -fpatchable-function-entry=2 -mbranch-protection=pac-ret -falign-functions=16 */
// SPDX-License-Identifier: GPL-2.0-or-later
/* The tracers of the cases: those that do nothing, and those that ask for a walk. */
#include "kunit.h"

TEST void fops_nop_func(u64 ip, u64 parent_ip, struct ftrace_ops *op, struct ftrace_regs *fregs)
{
	(void)ip;
	(void)parent_ip;
	(void)op;
	(void)fregs;
}

TEST void fops_unwind_reliable(u64 ip, u64 parent_ip, struct ftrace_ops *op,
			       struct ftrace_regs *fregs)
{
	(void)ip;
	(void)parent_ip;
	(void)op;
	(void)fregs;
	kunit_test.walks++;
	kunit_test.status = stack_trace_save_tsk_reliable(current);
}

struct ftrace_ops fops_nop = { .func = fops_nop_func };
struct ftrace_ops fops_unwind = { .func = fops_unwind_reliable };

TEST bool gops_entry_func_nop(u64 func, struct fgraph_ops *gops, struct ftrace_regs *fregs)
{
	(void)func;
	(void)gops;
	(void)fregs;
	return true;
}

TEST void gops_return_func_nop(u64 func, struct fgraph_ops *gops, struct ftrace_regs *fregs)
{
	(void)func;
	(void)gops;
	(void)fregs;
}

TEST bool gops_entry_func_unwind_reliable(u64 func, struct fgraph_ops *gops,
					  struct ftrace_regs *fregs)
{
	(void)func;
	(void)gops;
	(void)fregs;
	kunit_test.walks++;
	kunit_test.status = stack_trace_save_tsk_reliable(current);
	return true;
}

TEST void gops_return_func_unwind_reliable(u64 func, struct fgraph_ops *gops,
					   struct ftrace_regs *fregs)
{
	(void)func;
	(void)gops;
	(void)fregs;
	kunit_test.walks++;
	kunit_test.status = stack_trace_save_tsk_reliable(current);
}

struct fgraph_ops gops_nop = {
	.entryfunc = gops_entry_func_nop,
	.retfunc = gops_return_func_nop,
};
struct fgraph_ops gops_entry_unwind = {
	.entryfunc = gops_entry_func_unwind_reliable,
	.retfunc = gops_return_func_nop,
};
struct fgraph_ops gops_return_unwind = {
	.entryfunc = gops_entry_func_nop,
	.retfunc = gops_return_func_unwind_reliable,
};

TEST int kp_nop(struct kprobe *p, struct pt_regs *regs)
{
	(void)p;
	(void)regs;
	return 0;
}

TEST int kp_unwind_reliable(struct kprobe *p, struct pt_regs *regs)
{
	(void)p;
	(void)regs;
	kunit_test.walks++;
	kunit_test.status = stack_trace_save_tsk_reliable(current);
	return 0;
}
