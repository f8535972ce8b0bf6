// SPDX-License-Identifier: GPL-2.0-or-later
/* What asks for a reliable trace in Linux: kernel/stacktrace.c, v7.3-rc7. */
#include "kunwind.h"

noinline int stack_trace_save_tsk_reliable(struct task_struct *task)
{
	return walk_here(task);
}
