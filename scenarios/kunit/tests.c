/* cflags: -fpatchable-function-entry=2 -mbranch-protection=pac-ret -falign-functions=16 */
// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The 22 cases. Each returns 0, or -22 when its probe could not be registered: the host refuses to
 * arm it where Linux refuses it.
 */
#include "kunit.h"

/* Called last by its caller, without which nothing follows: keeps the call out of tail position. */
#define run_chain(test, fn)		\
	do {				\
		(test)->callee = (fn);	\
		caller_3(test);		\
		barrier();		\
	} while (0)

static opaque int __do_ftrace_unwind(struct kunit *test, struct ftrace_ops *ops,
				     void (*callee)(struct kunit *))
{
	int error = register_ftrace_function(ops);

	if (error)
		return error;
	run_chain(test, callee);
	unregister_ftrace_function(ops);
	return 0;
}

static opaque int __do_fgraph_unwind(struct kunit *test, struct fgraph_ops *gops,
				     void (*callee)(struct kunit *))
{
	int error = register_ftrace_graph(gops);

	if (error)
		return error;
	run_chain(test, callee);
	unregister_ftrace_graph(gops);
	return 0;
}

static opaque int __do_kprobe_unwind(struct kunit *test, u64 addr, kprobe_pre_handler_t handler,
				     void (*callee)(struct kunit *))
{
	int error = register_kprobe(addr, handler);

	if (error)
		return error;
	run_chain(test, callee);
	unregister_kprobe(addr);
	return 0;
}

static opaque int __do_async_fgraph_unwind(struct kunit *test, u64 addr)
{
	int error = register_ftrace_graph(&gops_nop);

	if (error)
		return error;
	error = __do_kprobe_unwind(test, addr, kp_unwind_reliable, callee_nop);
	unregister_ftrace_graph(&gops_nop);
	return error;
}

TEST int test_nounwind(struct kunit *test)
{
	run_chain(test, callee_nop);
	return 0;
}

TEST int test_nounwind_tail(struct kunit *test)
{
	run_chain(test, caller_tail_nop);
	return 0;
}

TEST int test_nounwind_notail(struct kunit *test)
{
	run_chain(test, caller_notail_nop);
	return 0;
}

TEST int test_unwind_reliable(struct kunit *test)
{
	run_chain(test, callee_unwind_reliable);
	return 0;
}

TEST int test_unwind_reliable_tail(struct kunit *test)
{
	run_chain(test, caller_tail_unwind_reliable);
	return 0;
}

TEST int test_unwind_reliable_notail(struct kunit *test)
{
	run_chain(test, caller_notail_unwind_reliable);
	return 0;
}

TEST int test_nounwind_with_ftrace(struct kunit *test)
{
	int error = __do_ftrace_unwind(test, &fops_nop, callee_nop);

	barrier();
	return error;
}

TEST int test_unwind_reliable_with_ftrace(struct kunit *test)
{
	int error = __do_ftrace_unwind(test, &fops_nop, callee_unwind_reliable);

	barrier();
	return error;
}

TEST int test_ftrace_unwind_reliable(struct kunit *test)
{
	int error = __do_ftrace_unwind(test, &fops_unwind, callee_nop);

	barrier();
	return error;
}

TEST int test_nounwind_with_fgraph(struct kunit *test)
{
	int error = __do_fgraph_unwind(test, &gops_nop, callee_nop);

	barrier();
	return error;
}

TEST int test_nounwind_with_fgraph_tail(struct kunit *test)
{
	int error = __do_fgraph_unwind(test, &gops_nop, caller_tail_nop);

	barrier();
	return error;
}

TEST int test_nounwind_with_fgraph_notail(struct kunit *test)
{
	int error = __do_fgraph_unwind(test, &gops_nop, caller_notail_nop);

	barrier();
	return error;
}

TEST int test_unwind_reliable_with_fgraph(struct kunit *test)
{
	int error = __do_fgraph_unwind(test, &gops_nop, callee_unwind_reliable);

	barrier();
	return error;
}

TEST int test_unwind_reliable_with_fgraph_tail(struct kunit *test)
{
	int error = __do_fgraph_unwind(test, &gops_nop, caller_tail_unwind_reliable);

	barrier();
	return error;
}

TEST int test_unwind_reliable_with_fgraph_notail(struct kunit *test)
{
	int error = __do_fgraph_unwind(test, &gops_nop, caller_notail_unwind_reliable);

	barrier();
	return error;
}

TEST int test_fgraph_entry_unwind_reliable(struct kunit *test)
{
	int error = __do_fgraph_unwind(test, &gops_entry_unwind, callee_nop);

	barrier();
	return error;
}

TEST int test_fgraph_exit_unwind_reliable(struct kunit *test)
{
	int error = __do_fgraph_unwind(test, &gops_return_unwind, callee_nop);

	barrier();
	return error;
}

TEST int test_nounwind_with_kprobe(struct kunit *test)
{
	int error = __do_kprobe_unwind(test, (u64)callee_nop, kp_nop, callee_nop);

	barrier();
	return error;
}

TEST int test_unwind_reliable_with_kprobe(struct kunit *test)
{
	int error = __do_kprobe_unwind(test, (u64)callee_unwind_reliable, kp_nop,
				       callee_unwind_reliable);

	barrier();
	return error;
}

TEST int test_kprobe_unwind_reliable(struct kunit *test)
{
	int error = __do_kprobe_unwind(test, (u64)callee_nop, kp_unwind_reliable, callee_nop);

	barrier();
	return error;
}

TEST int test_async_unwind_reliable(struct kunit *test)
{
	int error = __do_kprobe_unwind(test, (u64)callee_nop_caller + test->param, kp_unwind_reliable,
				       callee_nop_caller);

	barrier();
	return error;
}

TEST int test_fgraph_async_unwind_reliable(struct kunit *test)
{
	int error = __do_async_fgraph_unwind(test, (u64)return_to_handler + test->param);

	barrier();
	return error;
}
