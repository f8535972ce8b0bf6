/* cflags: -fpatchable-function-entry=2 -mbranch-protection=pac-ret -falign-functions=16 */
// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who calls whom. The kernel is built without sibling calls (arm64 keeps frame pointers), so that the
 * _tail functions differ from the _notail ones only in what comes after the call.
 */
#include "kunit.h"

TEST void callee_nop(struct kunit *test)
{
	(void)test;
	barrier();
}

TEST void callee_nop_caller(struct kunit *test)
{
	callee_nop(test);
}

TEST void callee_unwind_reliable(struct kunit *test)
{
	test->walks++;
	test->status = stack_trace_save_tsk_reliable(current);
}

TEST void caller_tail_nop(struct kunit *test)
{
	callee_nop(test);
}

TEST void caller_notail_nop(struct kunit *test)
{
	callee_nop(test);
	barrier();
}

TEST void caller_tail_unwind_reliable(struct kunit *test)
{
	callee_unwind_reliable(test);
}

TEST void caller_notail_unwind_reliable(struct kunit *test)
{
	callee_unwind_reliable(test);
	barrier();
}

TEST void caller_1(struct kunit *test)
{
	test->callee(test);
	barrier();
}

TEST void caller_2(struct kunit *test)
{
	caller_1(test);
	barrier();
}

TEST void caller_3(struct kunit *test)
{
	caller_2(test);
	barrier();
}
