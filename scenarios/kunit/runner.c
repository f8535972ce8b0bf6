/* cflags: -fpatchable-function-entry=2 -mbranch-protection=pac-ret -falign-functions=16 */
// SPDX-License-Identifier: GPL-2.0-or-later
/* What runs a case: a kernel thread of its own, as kunit_try_catch does (lib/kunit of v7.3-rc7). */
#include "kunit.h"

struct kunit kunit_test;

struct kunit_try_catch {
	void (*try)(void *data);
	void *context;
};

/* context is the struct kunwind_call that the host has made: the test function and its parameter. */
TEST void kunit_try_run_case(void *context)
{
	struct kunwind_call *call = context;
	int (*run_case)(struct kunit *test) = (void *)call->fn;

	kunit_test.param = call->args[0];
	/* The tests bring tracers of their own. */
	unregister_ftrace_graph(&kunwind_graph_ops);
	call->result = run_case(&kunit_test);
}

/* The thread function. It ends as the host expects; in Linux it is kthread_complete_and_exit. */
TEST int kunit_generic_run_threadfn_adapter(void *data)
{
	struct kunit_try_catch try_catch = { .try = kunit_try_run_case, .context = data };

	try_catch.try(try_catch.context);
	kunwind_done();
}
